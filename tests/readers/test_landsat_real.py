"""The reader on real products, against stored values of another program and hand-worked numbers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.errors import BandError, InputError
from nndacss.readers import find_l1, identify, open_scene, unpack
from nndacss.readers.landsat.metadata import normalise
from nndacss.readers.landsat.mtl import parse
from tests.readers.recipes import _text

pytestmark = pytest.mark.filterwarnings(
    "ignore::nndacss.errors.LossWarning", "ignore::rasterio.errors.NotGeoreferencedWarning"
)
Data = Callable[[str], Path]
SIX = ["blue", "green", "red", "nir08", "swir16", "swir22"]

# stored values of rio-toa


@pytest.fixture
def tiny(shared_data: Data, tmp_path: Path) -> Callable[[str, str], Path]:
    """A product folder around one of the overviews, under the names its metadata announce."""

    def make(product: str, band: str) -> Path:
        source = shared_data("toa-parity")
        shutil.copy(source / f"{product}_MTL.json", tmp_path)
        target = tmp_path / f"{product}_{band}.TIF"
        shutil.copyfile(source / f"tiny_{product}_{band}.TIF", target)
        return tmp_path

    return make


#: rio-toa 0.3 (`toa_utils.rescale`) multiplies by (55000 / 2**16) * 65535, clips to 1..65535 and
#: then casts, which floors in its uint16 files; fill becomes 1.
RIO_TOA = 55000 / 2**16 * 65535


def test_reflectance_equals_rio_toa_in_whole_numbers(
    shared_data: Data, tiny: Callable[[str, str], Path]
) -> None:
    scene = open_scene(tiny("LC80460282016177LGN00", "B2"))
    assert (scene.collection, scene.roles) == ("pre", ("blue",))
    stored = shared_data("toa-parity") / "tiny_LC80460282016177LGN00_B2_refl.TIF"
    with rasterio.open(stored) as file:
        expected = file.read(1).astype(np.float64)
    found = scene.read(["blue"]).pixels[0].astype(np.float64)
    missing = np.isnan(found)
    assert 0.2 < missing.mean() < 0.6
    assert set(np.unique(expected[missing])) == {1.0}
    difference = found[~missing] * RIO_TOA - expected[~missing]
    # flooring leaves 0..1; float32 may reach 0.01 of these units beside that
    assert difference.min() > -0.02
    assert difference.max() < 1.02
    assert abs(difference.mean() - 0.5) < 0.01


def test_reflectance_equals_rio_toa_in_floats(
    shared_data: Data, tiny: Callable[[str, str], Path]
) -> None:
    scene = open_scene(tiny("LC81390452014295LGN00", "B5"))
    stored = shared_data("toa-parity") / "tiny_LC81390452014295LGN00_B5_refl.TIF"
    with rasterio.open(stored) as file:
        expected = file.read(1).astype(np.float64) / RIO_TOA
    found = scene.read(["nir08"]).pixels[0]
    there = ~np.isnan(found)
    assert there.sum() > 100_000
    assert np.abs(found[there] - expected[there]).max() < 2e-7
    with pytest.raises(BandError, match=r"LC81390452014295LGN00_B4\.TIF: found no such file"):
        scene.read(["red"])


# crops of Collection 2


CROPS = {
    # name: (level, EPSG, rows, columns, left, top, roles beside the six)
    "LC08_L1TP_017051_20151205_20200908_02_T1": ("TOA", 32616, 334, 468, 543975, 1378995, ["pan"]),
    "LC08_L1TP_227074_20190809_20200827_02_T1": ("TOA", 32621, 901, 667, 440985, -2188005, []),
    "LC08_L1TP_227074_20190825_20200826_02_T1": ("TOA", 32621, 901, 667, 440985, -2188005, []),
    "LC08_L2SP_017051_20151205_20200908_02_T1": (
        "SR", 32616, 333, 467, 544005, 1378995, ["lwir11"]
    ),
    "LC08_L2SP_218074_20190114_20200829_02_T1": ("SR", 32623, 300, 400, 583485, -2222685, []),
    "LC08_L2SP_218074_20190130_20200829_02_T1": ("SR", 32623, 300, 400, 584385, -2222685, []),
    "LC08_L2SP_232056_20151004_20200908_02_T1": ("SR", 32620, 367, 667, 736005, 585015, []),
    "LC09_L2SP_231062_20230723_20230802_02_T1": ("SR", 32620, 468, 851, 832485, -340995, []),
}  # fmt: skip


@pytest.fixture
def crop(shared_data: Data, tmp_path: Path) -> Callable[[str], Path]:
    def find(name: str) -> Path:
        return unpack(shared_data("landsat-c2-crops") / f"{name}-cropped.tar.gz", tmp_path / name)

    return find


@pytest.mark.parametrize("name", CROPS)
def test_every_crop(shared_data: Data, crop: Callable[[str], Path], name: str) -> None:
    level, epsg, rows, columns, left, top, more = CROPS[name]
    scene = open_scene(crop(name))
    roles = SIX[:3] if "232056" in name else SIX
    assert scene.identity.name == name
    assert scene.identity == identify(shared_data("landsat-c2-crops") / f"{name}-cropped.tar.gz")
    assert (scene.level, scene.collection) == (level, "2")
    assert scene.roles == (*roles, *more)
    grid = scene.grid("blue")
    assert grid == GeoBox((rows, columns), Affine(30, 0, left, 0, -30, top), f"EPSG:{epsg}")
    scene.verify(roles)
    raster = scene.read(roles)
    numbers = np.stack([_numbers(crop(name), scene, role) for role in roles])
    gain, offset = (2.75e-5, -0.2) if level == "SR" else (2e-5, -0.1)
    sun = 1.0 if level == "SR" else np.sin(np.radians(scene.sun_elevation))
    expected = np.where(numbers > 0, (gain * numbers + offset) / sun, np.nan)
    np.testing.assert_allclose(raster.pixels, expected, rtol=0, atol=5e-7)
    assert 0.02 < np.nanmedian(raster.band("red")) < 0.6
    # the metadata's latitude of the scene is the hemisphere of the grid
    latitude = grid.footprint("EPSG:4326", buffer=0, npoints=4).centroid.coords[0][1]
    assert np.sign(latitude) == (1 if name[13:16] in ("051", "056") else -1)


def _numbers(folder: Path, scene: object, role: str) -> np.ndarray:
    number = 2 + SIX.index(role)
    infix = "SR_" if "L2SP" in folder.name else ""
    with rasterio.open(folder / f"{folder.name}_{infix}B{number}.TIF") as file:
        return file.read(1).astype(np.float64)


def test_the_crop_without_infrared_says_so(crop: Callable[[str], Path]) -> None:
    name = "LC08_L2SP_232056_20151004_20200908_02_T1"
    with pytest.raises(BandError, match=f"{name}_SR_B5.TIF: found no such file"):
        open_scene(crop(name)).verify()


def test_twin_of_both_levels(crop: Callable[[str], Path]) -> None:
    level_2 = crop("LC08_L2SP_017051_20151205_20200908_02_T1")
    level_1 = crop("LC08_L1TP_017051_20151205_20200908_02_T1")
    assert find_l1(level_2) == level_1
    assert find_l1(level_1) is None
    scene = open_scene(level_2, level_1)
    assert scene.roles == (*SIX, "pan", "lwir11")
    assert any("assumed" in sentence and "_B8.TIF" in sentence for sentence in scene.losses)
    # the assumed upper left centre of pan is that of the Level-1 crop, 543990 1378980
    assert scene.grid("pan").affine == Affine(15, 0, 543982.5, 0, -15, 1378987.5)
    assert scene.grid("pan").shape == (668, 935)
    # pan covers 0.50-0.68 um: at 30 m it must follow the mean of green and red, and TOA follow SR
    grid = scene.grid("blue")
    pan = scene.read(["pan"], grid, "average").band("pan")
    own = open_scene(level_1).read(["green", "red"], grid).pixels.mean(axis=0)
    there = ~np.isnan(pan) & ~np.isnan(own)
    assert there.mean() > 0.99
    assert np.corrcoef(pan[there], own[there])[0, 1] > 0.97
    assert np.median(pan[there]) == pytest.approx(np.median(own[there]), rel=0.1)
    kelvin = scene.read(["lwir11"]).band("lwir11")
    # from cold cloud tops to the product's own maximum, tropical land in between
    assert np.nanmin(kelvin) > 220
    assert np.nanmax(kelvin) < 373
    assert 285 < np.nanmedian(kelvin) < 310
    other = crop("LC08_L1TP_227074_20190809_20200827_02_T1")
    with pytest.raises(InputError, match="path and row 227074 instead of 017051"):
        open_scene(level_2, other)


# the complete Collection-1 product


def test_collection_1_set(shared_data: Data) -> None:
    folder = shared_data("landsat-c1-full-layout")  # a Landsat-7 product lies beside it
    scene = open_scene(folder)
    name = "LC08_L1TP_195025_20130707_20170503_01_T1"
    assert scene.identity.name == name
    assert len(scene.identity.files) == 13
    assert scene.collection == "1"
    assert scene.roles == ("coastal", *SIX, "pan", "cirrus", "lwir11", "lwir12")
    assert scene.losses == ("no sun angle bands: the sun of the scene centre is used everywhere",)
    scene.verify()
    # its files hold their own georeference: pan lies on the lattice 15k + 7.5, its centres on
    # those of the other bands
    band, pan = scene.grid("red"), scene.grid("pan")
    assert band.affine == Affine(30, 0, 483285, 0, -30, 5628525)
    assert pan.affine == Affine(15, 0, 483277.5, 0, -15, 5628517.5)
    column, row = ~band.affine @ (pan.affine @ (0.5, 0.5))
    assert (column * 2 % 1, row * 2 % 1) == (0, 0)
    with rasterio.open(folder / f"{name}_B4.TIF") as file:
        numbers = file.read(1)
    value = (2e-5 * int(numbers[7, 9]) - 0.1) / np.sin(np.radians(58.9967518))
    assert scene.read(["red"]).pixels[0, 7, 9] == pytest.approx(value, abs=1e-7)
    with rasterio.open(folder / f"{name}_B11.TIF") as file:
        radiance = 3.342e-4 * int(file.read(1)[7, 9]) + 0.1
    kelvin = scene.read(["lwir11", "lwir12"]).pixels
    assert kelvin[1, 7, 9] == pytest.approx(1201.1442 / np.log(480.8883 / radiance + 1), abs=1e-4)
    assert kelvin.min() > 290
    assert kelvin.max() < 320  # a field in July, at noon
    flags = scene.quality_flags()
    assert flags is not None
    assert flags.clear.all()  # 2720 everywhere, the MTL says 6 % cloud
    assert not scene.saturated(SIX).any()


def test_pan_and_red_of_collection_1_agree_in_place(shared_data: Data) -> None:
    """Moved by one pan pixel either way, pan must follow red and green less well than in place."""
    scene = open_scene(shared_data("landsat-c1-full-layout"))
    inner = GeoBox((33, 33), scene.grid("red").affine @ Affine.translation(4, 4), "EPSG:32632")
    wanted = scene.read(["green", "red"], inner).pixels.mean(axis=0)

    def likeness(x: float, y: float) -> float:
        moved = GeoBox(inner.shape, Affine.translation(x, y) @ inner.affine, inner.crs)
        pan = scene.read(["pan"], moved, "average").pixels[0]
        return float(np.corrcoef(pan.ravel(), wanted.ravel())[0, 1])

    here = likeness(0, 0)
    assert here > 0.97
    for x, y in ((15, 0), (-15, 0), (0, 15), (0, -15)):
        assert likeness(x, y) < here


def test_southern_collection_1_crop(shared_data: Data) -> None:
    folder = shared_data("parity/convert-probav/LC08_L1TP_227074_20190809_20200826_01_T1")
    scene = open_scene(folder)  # its metadata still announce the files of another product
    assert scene.roles == ("coastal", "blue", "red", "nir08", "swir16")
    assert scene.grid("blue").crs.epsg == 32621
    assert scene.grid("blue").affine.f == -2188005
    flags = scene.quality_flags()
    assert flags is not None
    assert int(flags.fill.sum()) == 82239
    assert int(flags.clear.sum()) == 518728
    np.testing.assert_array_equal(scene.present(["red"]), ~flags.fill)
    with pytest.raises(BandError, match=r"_B3\.TIF: found no such file"):
        scene.verify()


# real quality bands of Collection 2


@pytest.mark.parametrize(
    ("folder", "expected", "cover"),
    [
        # pixels by flag, counted by hand from the histogram of the codes
        (
            "assets",
            {
                "fill": 124772,
                "cloud": 73833 + 1274,
                "shadow": 813 + 2497 + 2909 + 634,
                "snow": 440 + 52484 + 1178 + 1310,
                "cirrus": 1274,
                "dilated": 813 + 2909 + 440 + 1178,
                "water": 2497 + 52484 - 52484 - 2497,
            },
            54.65,
        ),
        (
            "assets3",
            {
                "fill": 81507,
                "cloud": 136562 + 9857,
                "shadow": 1798 + 6411 + 2260 + 718 + 9 + 2 + 11,
                "snow": 0,
                "cirrus": 9857 + 9 + 2 + 11,
                "dilated": 679 + 1798 + 2260 + 996 + 9 + 11,
                "water": 85,
            },
            None,
        ),
    ],
)
def test_real_quality_bands(
    shared_data: Data, folder: str, expected: dict[str, int], cover: float | None
) -> None:
    path = shared_data("landsat-c2-qa") / folder
    scene = open_scene(path)
    flags = scene.quality_flags()
    assert flags is not None
    assert {name: int(getattr(flags, name).sum()) for name in expected} == expected
    # the scene's own statement, in percent of the pixels that are not fill
    stated = float(json.loads(next(path.glob("*_MTL.json")).read_text())
                   ["LANDSAT_METADATA_FILE"]["IMAGE_ATTRIBUTES"]["CLOUD_COVER"])  # fmt: skip
    assert cover is None or stated == cover
    share = 100 * (flags.cloud & ~flags.fill).sum() / (~flags.fill).sum()
    assert share == pytest.approx(stated, abs=3)
    scene.verify()
    assert np.isnan(scene.read(["red"]).pixels).mean() == pytest.approx(flags.fill.mean(), abs=0.01)


def test_real_saturation(shared_data: Data) -> None:
    scene = open_scene(shared_data("landsat-c2-qa") / "assets3")
    # one pixel holds 30 = bits 1 to 4: bands 2 to 5
    assert [int(scene.saturated([role]).sum()) for role in SIX] == [1, 1, 1, 1, 0, 0]
    # the other scene holds 2048, terrain occlusion, which is no saturation
    assert not open_scene(shared_data("landsat-c2-qa") / "assets").saturated(SIX).any()


@pytest.mark.parametrize("folder", ["assets", "assets3"])
def test_real_metadata_say_the_same_in_three_formats(shared_data: Data, folder: str) -> None:
    files = [*(shared_data("landsat-c2-qa") / folder).glob("*_MTL.*")]
    assert len(files) == 3
    read = [normalise("x", parse(file.name, file.read_bytes())) for file in files]
    assert read[0] == read[1] == read[2]
    assert read[0].bands[1].gain == 2.75e-5


def test_real_level_1_json(shared_data: Data) -> None:
    for file in shared_data("deep-harmonization-inputs").glob("*.json"):
        content = file.read_bytes()
        metadata = normalise(file.name, parse(file.name, content))
        assert metadata.key == f"landsat-8 143054 {metadata.acquired:%Y-%m-%d}"
        assert metadata.planes["PANCHROMATIC"].lines == 2 * metadata.planes["REFLECTIVE"].lines - 1
        again = parse("x_MTL.txt", _text(json.loads(content)).encode())
        assert normalise(file.name, again) == metadata
