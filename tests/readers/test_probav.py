"""Proba-V's HDF5: both levels, where pixels lie, what is missing, and files that are of no use."""

import h5py
import numpy as np
import pytest

from nndacss.errors import BandError, InputError, MetadataError
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of
from nndacss.readers.probav import BANDS, open_product
from nndacss.readers.probav.status import climate, codes, covered, land

GOOD = 0b1111_1111_1000
"""All bands covered and good, over land, clear."""


def write(
    path, level="LEVEL2A", quantity="TOA", step=1 / 336, shape=(6, 8), packing="gzip", **more
):
    """A product as VITO writes them: places are pixel centres. Counts 200, 400, 600, 800."""
    counts = {
        band: np.full(shape, 200 * n, dtype=np.int16) for n, band in enumerate(BANDS, 1)
    } | more.get("counts", {})
    status = more.get("status", np.full(shape, GOOD, dtype=np.uint16))
    with h5py.File(path, "w") as file:
        for band, values in counts.items():
            name = f"{level}/RADIOMETRY/{band}/{quantity}"
            dataset = file.create_dataset(name, data=values, compression=packing)
            place = ["Geographic Lat/Lon", "0.5", "0.5", "10.0", "50.0", str(step), str(step)]
            dataset.attrs["MAPPING"] = np.array([*place, "WGS84", "Degrees"]).astype("S")
            dataset.attrs["SCALE"], dataset.attrs["OFFSET"] = np.float32([2000.0]), np.float32([0])
            dataset.attrs["NO_DATA"] = np.float32([-1])
        if status is not None:
            file.create_dataset(f"{level}/QUALITY/SM", data=status)
        file.attrs["OBSERVATION_START_DATE"] = np.array([b"2014-07-05"])
        file.attrs["OBSERVATION_START_TIME"] = np.array([b"09:59:13"])
    return path


@pytest.mark.parametrize("packing", ["gzip", "szip", None])
@pytest.mark.parametrize(("level", "quantity"), [("LEVEL2A", "TOA"), ("LEVEL3", "TOC")])
def test_reflectance_and_place(tmp_path, level, quantity, packing):
    path = write(tmp_path / "PROBAV_333M_V101.HDF5", level, quantity, packing=packing)
    with open_product(path) as product:
        assert (product.level, product.quantity, product.resolution) == (level, quantity, "333M")
        assert str(product.acquired) == "2014-07-05 09:59:13+00:00"
        assert not product.converted
        pixels = product.read()
        assert pixels.dtype == np.float32
        np.testing.assert_allclose(pixels[:, 0, 0], [0.1, 0.2, 0.3, 0.4], rtol=1e-6)
        # 10 E, 50 N is the centre of the first pixel
        affine = product.grid.affine
        assert affine @ (0.5, 0.5) == pytest.approx((10.0, 50.0), abs=1e-12)
        assert affine.a == pytest.approx(1 / 336)
        np.testing.assert_array_equal(product.read(np.s_[2:4, 1:7]), pixels[:, 2:4, 1:7])
        assert product.status.shape == product.shape == (6, 8)


def test_missing_is_missing_in_all_bands(tmp_path):
    red = np.full((6, 8), 300, dtype=np.int16)
    red[0, 0], red[0, 1] = -1, -2000
    status = np.full((6, 8), GOOD, dtype=np.uint16)
    status[5, :4] ^= 1 << 8  # SWIR has no data there
    path = write(tmp_path / "a.HDF5", counts={"RED": red}, status=status)
    with open_product(path) as product:
        gone = np.isnan(product.read())
        assert (gone == gone[0]).all()
        assert np.argwhere(gone[0]).tolist() == [[0, 0], [0, 1], [5, 0], [5, 1], [5, 2], [5, 3]]
        classes = climate(product.status, ~gone[0])
    assert (classes[gone[0]] == 0).all(), "nodata is never clear"
    assert (classes[~gone[0]] == of(Climate.CLEAR)).all()


def test_level_3_has_no_coverage_bits(tmp_path):
    path = write(tmp_path / "a.HDF5", "LEVEL3", status=np.full((6, 8), 0b11111000, np.uint8))
    with open_product(path) as product:
        assert np.isfinite(product.read()).all()


def test_status_bits():
    status = np.array([0, 1, 2, 3, 4, 0b1011, 0b1111 << 8, 0b0111 << 8, 7], dtype=np.uint16)
    assert codes(status).tolist() == [0, 1, 2, 3, 4, 3, 0, 0, 7]
    assert land(status).tolist() == [False] * 5 + [True] + [False] * 3
    assert covered(status).tolist() == [False] * 6 + [True] + [False] * 2
    sets = climate(status, np.arange(9) != 6).tolist()
    assert sets == [1, 2, 15, 8, 4, 8, 0, 1, 0]


def test_the_published_programs_products_lie_where_they_say(shared_data):
    """MAPPING says centre and means the corner, as the GeoTransform beside it shows."""
    folder = shared_data("parity/convert-probav")
    for path in folder.glob("*.HDF5"):
        with open_product(path) as product, h5py.File(path, locking=False) as file:
            stated = file["crs"].attrs["GeoTransform"][0].decode().split()
            assert product.converted
            assert product.grid.affine.c == pytest.approx(float(stated[0]), abs=1e-6)
            assert product.status is None
            pixels, counts = product.read(), file["LEVEL2A/RADIOMETRY/NIR/TOA"][()]
            np.testing.assert_array_equal(np.isnan(pixels[2]), counts < 0)


def change(path, edit):
    with h5py.File(path, "r+") as file:
        edit(file)


RED = "LEVEL2A/RADIOMETRY/RED/TOA"


def without_sm(file):
    del file["LEVEL2A/QUALITY/SM"]


def without_red(file):
    del file["LEVEL2A/RADIOMETRY/RED"]


def scale_of_zero(file):
    file[RED].attrs["SCALE"] = 0


def without_scale(file):
    del file[RED].attrs["SCALE"]


def without_mapping(file):
    del file["LEVEL2A/RADIOMETRY/BLUE/TOA"].attrs["MAPPING"]


def smaller_red(file):
    attributes = dict(file[RED].attrs)
    del file[RED]
    file.create_dataset(RED, data=np.ones((3, 8), dtype=np.int16)).attrs.update(attributes)


def other_level(file):
    file.move("LEVEL2A", "LEVEL1C")


@pytest.mark.parametrize(
    ("edit", "error", "message"),
    [
        (without_sm, BandError, "no LEVEL2A/QUALITY/SM"),
        (without_red, BandError, "no LEVEL2A/RADIOMETRY/RED/TOA; expected the bands BLUE"),
        (scale_of_zero, MetadataError, "SCALE = 0 of .*RED/TOA; expected a positive number"),
        (without_scale, MetadataError, "SCALE = None"),
        (without_mapping, MetadataError, "MAPPING = nothing"),
        (smaller_red, BandError, "3 x 8 pixels; expected 6 x 8, as BLUE"),
        (other_level, BandError, "groups LEVEL1C; expected LEVEL2A or LEVEL3"),
    ],
)
def test_products_of_no_use(tmp_path, edit, error, message):
    path = write(tmp_path / "a.HDF5")
    change(path, edit)
    with pytest.raises(error, match=message) as caught:
        open_product(path)
    assert str(path) in str(caught.value)


def test_another_scale_is_taken(tmp_path):
    path = write(tmp_path / "a.HDF5")

    def edit(file):
        file[RED].attrs["SCALE"], file[RED].attrs["OFFSET"] = 1000.0, 100.0

    change(path, edit)
    with open_product(path) as product:
        assert product.read()[1, 0, 0] == pytest.approx(0.3)


def test_files_that_are_no_products(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        open_product(tmp_path / "nothing.HDF5")
    text = tmp_path / "text.HDF5"
    text.write_text("hello")
    with pytest.raises(InputError, match="5 bytes that are no HDF5 file"):
        open_product(text)
    whole = write(tmp_path / "whole.HDF5", shape=(300, 300), packing=None).read_bytes()
    short = tmp_path / "short.HDF5"
    short.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"short\.HDF5: found a damaged HDF5 file"):
        open_product(short)


def test_a_damaged_chunk_is_told_with_its_file(tmp_path):
    noise = np.random.default_rng(0).integers(0, 2000, (64, 64), dtype=np.int16)
    path = write(tmp_path / "a.HDF5", counts=dict.fromkeys(BANDS, noise), shape=(64, 64))
    with h5py.File(path) as file:
        chunk = file[RED].id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    data[chunk.byte_offset + 4 : chunk.byte_offset + 200] = bytes(196)
    path.write_bytes(bytes(data))
    with open_product(path) as product, pytest.raises(BandError, match=r"a\.HDF5"):
        product.read()


@pytest.mark.parametrize(
    ("name", "step", "message"),
    [
        ("PROBAV_100M_V101.HDF5", 1 / 336, "100M in its name and pixels of 0.00297619 degrees"),
        ("scene_1KM.HDF5", 1 / 336, "which are 333M; expected one resolution"),
        ("a.HDF5", 1 / 500, "pixels of 0.002 degrees; expected 1/1008, 1/336, 1/112"),
    ],
)
def test_names_and_pixels_that_disagree(tmp_path, name, step, message):
    with pytest.raises(MetadataError, match=message):
        open_product(write(tmp_path / name, step=step))


@pytest.mark.parametrize(
    ("name", "step", "resolution"),
    [("a_300M_V1.HDF5", 1 / 336, "333M"), ("b_100m.hdf5", 1 / 1008, "100M"), ("c", 1 / 112, "1KM")],
)
def test_resolutions(tmp_path, name, step, resolution):
    with open_product(write(tmp_path / name, step=step)) as product:
        assert product.resolution == resolution
