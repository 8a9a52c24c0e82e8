"""A real STAC API with a small archive in it, and with one scene whose files are there."""

from types import SimpleNamespace

import pytest

from nndacss.simulate.landsat import write_landsat
from tests.search.archive import COLLECTIONS, ITEMS
from tests.servers.files import serve
from tests.servers.items import landsat_item
from tests.servers.stac import collection, stac_api


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """`api`: the address of the API; `pair`: the scene; `files`: the server of its files."""
    pair = write_landsat(tmp_path_factory.mktemp("archive"), seed=3, rows=120, columns=130)
    with serve(pair.l2.parent) as files:
        real = [
            landsat_item(pair.l2, files.url, suffix="_SR", stated=False),
            landsat_item(pair.l1, files.url, collection="landsat-c2l1"),
        ]
        collections = [collection(name) for name in COLLECTIONS]
        with stac_api(collections, [*ITEMS, *real]) as url:
            yield SimpleNamespace(api=url, pair=pair, files=files)


@pytest.fixture(scope="session")
def api(archive):
    """Its address."""
    return archive.api
