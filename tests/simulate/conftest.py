"""One small scene that several tests read."""

from __future__ import annotations

import pytest

from nndacss.simulate.landsat import LandsatPair, write_landsat


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> LandsatPair:
    """The demo's place, a little smaller."""
    return write_landsat(tmp_path_factory.mktemp("scene"), rows=300, columns=290)
