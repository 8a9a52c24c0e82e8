"""AdaptScene of an archive's scene, read where it is: the product of the downloaded one."""

import pytest

from nndacss.product.compare import differences
from nndacss.readers import open_scene
from tests.servers.files import serve
from tests.servers.items import landsat_item, write_item

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::nndacss.errors.LossWarning"),
]


def middle(scene, share=0.1):
    """A box in degrees around a scene's centre."""
    with pytest.warns():
        grid = open_scene(scene).grid("red")
    west, south, east, north = grid.footprint("EPSG:4326").boundingbox.bbox
    x, y = (west + east) / 2, (south + north) / 2
    return x, y, x + share * (east - west), y + share * (north - south)


def test_an_area_read_in_place_is_the_product_of_the_whole_scene_fetched(bench, simulated):
    bbox = ",".join(map(str, middle(simulated.l2)))
    with serve(simulated.l2.parent) as archive:
        items = [
            write_item(landsat_item(folder, archive.url), bench.folder / f"{name}.json")
            for name, folder in (("l2", simulated.l2), ("l1", simulated.l1))
        ]
        options = ("--l1", str(items[1]), f"--bbox={bbox}", "--set", "harmonize.method=bandpass")
        code, said = bench.run(*options, "--output-root", "whole", scene=items[0])
        assert code == 0, said
        bench.work.rename(bench.folder / "before")
        archive.asked.clear()
        remote = ("--set", "acquire.remote=true", "--output-root", "in_place")
        code, said = bench.run(*options, *remote, scene=items[0])
        assert code == 0, said
        images = [one for one in archive.asked if one[0].endswith(".TIF")]
        assert images
        assert all(asked for _, asked in images)
        assert len(images) == len(set(images))
        # asked for without leave to read in place, another area is made of fetched files
        code, said = bench.run(*options[:-1], "harmonize.sharpen=false", scene=items[0])
        assert code == 0, said
    one, two = (next(bench.folder.glob(f"{name}/*")) for name in ("whole", "in_place"))
    assert one.name == two.name
    assert differences(one, two) == []
    assert len(list(bench.work.glob("scenes/LC08*"))) == 2
