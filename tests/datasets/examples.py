"""A small archive of each dataset, written by hand in its own layout."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from nndacss.datasets.snow_spectra import TABLES
from nndacss.simulate.landsat import write_landsat
from tests.datasets.eurosat_files import eurosat
from tests.readers import recipes
from tests.readers.recipes import Recipe

BIOME_BANDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.01, 280.0)


def write_tif(path: Path, bands: np.ndarray, **georeference: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2]}
    with rasterio.open(path, "w", "GTiff", dtype=bands.dtype, **profile, **georeference) as raster:
        raster.write(bands)
    return path


def biome(folder: Path, masks: dict[str, np.ndarray] | None = None) -> dict[str, Any]:
    """Chips whose band b is `BIOME_BANDS[b]` plus a thousandth per column."""
    masks = masks or {
        "train/Forest_05_0415": np.array([[64, 128], [192, 255]], dtype=np.uint8),
        "val/Water_01_0922": np.array([[128, 128], [192, 0]], dtype=np.uint8),
    }
    (folder / "train").mkdir(parents=True, exist_ok=True)
    for name, mask in masks.items():
        ramp = np.arange(mask.shape[1]) / 1000
        base = np.array(BIOME_BANDS)[:, None, None]
        image = np.broadcast_to(base + ramp, (8, *mask.shape)).astype(np.float32)
        write_tif(folder / f"{name}_image.tif", image)
        write_tif(folder / f"{name}_mask.tif", mask[None])
    return {"folder": folder}


def sentinel2(folder: Path) -> dict[str, Any]:
    """One chip of each kind of file, 2 x 4 pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    three, four = ["B02", "B03", "B04"], ["B02", "B03", "B04", "B08"]
    visible = np.full((3, 2, 4), 0.2, dtype=np.float32)
    all_four = np.full((4, 2, 4), 0.3, dtype=np.float32)
    all_four[:, 0, 0] = 0
    drawn = np.array([[0, 1, 2, 3], [0, 0, 0, 0]], dtype=np.uint8)
    scribbled = np.array([[0, 1, 2, 3], [4, 5, 6, 255]], dtype=np.uint8)
    label = np.array([[0, 1, 3, 255], [0, 0, 0, 3]], dtype=np.uint8)
    hand = np.array([[0, 0, 1, 1], [0, 0, 0, 1]], dtype=bool)
    np.savez(
        folder / "cloudsen12_ROI_0001_cloudy.npz",
        refl=visible,
        bands=three,
        manual_hq=drawn,
        manual_sc=scribbled,
    )
    np.savez(
        folder / "cloudsen12_ROI_0002_mid-cloudy.npz",
        refl=visible,
        bands=three,
        manual_sc=scribbled,
    )
    np.savez(
        folder / "alberta_2020-06-15.npz",
        refl=all_four,
        bands=four,
        label=label,
        human_shadow=hand,
        sun_zen=np.float32(30),
        sun_az=np.float32(150),
    )
    np.savez(folder / "alberta_2020-06-27.npz", **np.load(folder / "alberta_2020-06-15.npz"))
    np.savez(
        folder / "oncloudn_3.npz",
        refl=all_four,
        bands=four,
        label=np.minimum(label, 1),
    )
    return {"folder": folder}


def labelled_scene(folder: Path) -> dict[str, Any]:
    """A simulated Landsat scene with its truth as labels."""
    pair = write_landsat(folder, seed=5, rows=150, columns=170)
    return {"product": pair.l1, "labels": pair.truth, "tile": 100}


def cloudless_scenes(folder: Path) -> dict[str, Any]:
    """A part of a simulated Landsat scene, in two tiles."""
    pair = write_landsat(folder, seed=5, rows=150, columns=170)
    return {"folder": pair.l1.parent, "windows": {pair.l1.name: (20, 120, 30, 100)}, "tile": 64}


SPARCS_NAME = "LC81950252013188LGN00_07"
#: Codes in the corner of each sub-scene, one of each.
SPARCS_CODES = np.array([[0, 1, 2, 3], [4, 5, 6, 4]], dtype=np.uint8)


def sparcs_counts(layout: str = "no_pan", side: int = 30) -> np.ndarray:
    """Ten bands: a smooth ground, a thermal field of its own, cirrus of neither."""
    rng = np.random.default_rng(3)
    ground, warmth, high = (rng.normal(0, 1, (side, side)) for _ in range(3))
    noise = rng.normal(0, 0.05, (11, side, side))
    reflective = [7000 + 400 * number + 900 * (ground + noise[number]) for number in range(1, 8)]
    pan = (reflective[2] + reflective[3]) / 2 + 50 * noise[7]
    cirrus = 5050 + 20 * high
    thermal = [25000 + 800 * (warmth + noise[9]), 23000 + 700 * (warmth + noise[10])]
    last = [cirrus, *thermal] if layout == "no_pan" else [pan, cirrus, thermal[0]]
    return np.rint(np.stack(reflective + last)).astype(np.uint16)


def sparcs(
    folder: Path, form: str = "_labels.tif", layout: str = "no_pan", name: str = SPARCS_NAME
) -> dict[str, Any]:
    """One sub-scene, in the packaging of the university (`_labels.tif`) or the USGS."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = sparcs_counts(layout)
    counts[:, -1, -1] = 0
    place = {"crs": "EPSG:32632", "transform": CORNER}
    write_tif(folder / f"{name}_data.tif", counts, **place)
    codes = np.full((1, *counts.shape[1:]), 4, dtype=np.uint8)
    codes[0, :2, :4] = SPARCS_CODES
    if form == "_labels.tif":
        write_tif(folder / f"{name}{form}", codes, **place)
    else:
        write_palette(folder / f"{name}{form}", codes[0])
    product = name.rpartition("_")[0]
    scene = Recipe(collection="pre", place=name[3:9], date="2013-07-07")
    stem = name if form == "_labels.tif" else product
    (folder / f"{stem}_mtl.txt").write_text(recipes._text(scene.groups()))
    (folder / f"{name}_photo.png").write_bytes(b"")
    return {"folder": folder}


def write_palette(path: Path, codes: np.ndarray) -> None:
    """A PNG whose pixels are indices of a palette, as the USGS packs its labels."""
    shape = {"height": codes.shape[0], "width": codes.shape[1], "count": 1}
    with rasterio.open(path, "w", "PNG", dtype="uint8", **shape) as raster:
        raster.write(codes, 1)
        raster.write_colormap(1, {code: (40 * code, 0, 255 - 40 * code) for code in range(7)})


def biome_scene(
    folder: Path, codes: np.ndarray | None = None, date: str = "2013-07-07", **recipe: Any
) -> dict[str, Any]:
    """A whole scene of 90 x 100 pixels of before the collections, mask in ENVI's format."""
    if codes is None:
        codes = np.full((90, 100), 128, dtype=np.uint8)
        codes[:4], codes[10:20], codes[30:40], codes[80:, 90:] = 0, 192, 255, 64
    rows, columns = codes.shape
    ramp = 10000 + np.arange(rows * columns, dtype=np.uint16).reshape(rows, columns)
    numbers = {str(number): ramp + 100 * number for number in range(1, 8)}
    scene = Recipe(
        collection="pre", lines=rows, samples=columns, date=date, numbers=numbers, **recipe
    )
    product = scene.write(folder / "BC")
    write_envi(product / f"{scene.product}_fixedmask.img", codes)
    return {"folder": folder, "tile": 64}


def write_envi(path: Path, codes: np.ndarray) -> None:
    path.write_bytes(codes.tobytes())
    header = (
        "ENVI\ndescription = {\n  Fixed mask,\n  lines = none}\n"
        f"samples = {codes.shape[1]}\nlines   = {codes.shape[0]}\nbands   = 1\n"
        "header offset = 0\nfile type = ENVI Standard\ndata type = 1\ninterleave = bsq\n"
        "byte order = 0\n"
    )
    path.with_suffix(".hdr").write_text(header)


CLOUD38_SCENE = "LC08_L1TP_195025_20130707_20170503_01_T1"


def cloud38(
    folder: Path, inside: str = "38-Cloud_training", suffix: str = "", side: int = 8
) -> dict[str, Any]:
    """Two patches of one scene: cloud on the left half, fill in the last row."""
    for number, column in ((1, 1), (2, 2)):
        name = f"patch_{number}_1_by_{column}_{CLOUD38_SCENE}.TIF"
        for place, band in enumerate(("red", "green", "blue", "nir")):
            counts = np.full((1, side, side), 10000 + 1000 * place + number, dtype=np.uint16)
            counts[:, -1] = 0
            write_tif(folder / inside / f"train_{band}{suffix}" / f"{band}_{name}", counts)
        truth = np.zeros((1, side, side), dtype=np.uint8)
        truth[:, :, : side // 2] = 255
        write_tif(folder / inside / f"train_gt{suffix}" / f"gt_{name}", truth)
    return {"folder": folder}


def cloud38_test(folder: Path, truth: np.ndarray, side: int = 8, **profile: Any) -> dict[str, Any]:
    """Test patches of a scene: no labels of their own, one for the whole scene."""
    rows, columns = (-(-size // side) for size in truth.shape)
    inside = folder / "38-Cloud_test"
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            number = (row - 1) * columns + column
            name = f"patch_{number}_{row}_by_{column}_{CLOUD38_SCENE}.TIF"
            for band in ("red", "green", "blue", "nir"):
                counts = np.full((1, side, side), 10000, dtype=np.uint16)
                write_tif(inside / f"test_{band}" / f"{band}_{name}", counts)
    whole = inside / "Entire_scene_gts" / f"edited_corrected_gts_{CLOUD38_SCENE}.TIF"
    write_tif(whole, truth[None], **profile)
    return {"folder": folder, "part": "test"}


CLOUDSEN12_CHIPS = (
    ("ROI_0001", "20190212T142031_20190212T143214_T19FDF", "N0207"),
    ("ROI_0001", "20190304T142031_20190304T142654_T19FDF", "N0207"),
    ("ROI_0013", "20200114T144731_20200114T145702_T19JCF", "N0208"),
)
CLOUDSEN12_BANDS = ("B2", "B3", "B4", "B8", "B8A", "B11", "B12")


def cloudsen12_rows(baseline: str | None = None) -> list[dict[str, str]]:
    return [
        {
            "annotator_name": "JHOMIRA",
            "roi_id": place,
            "s2_id_gee": product,
            "s2_id": f"S2A_MSIL1C_{product[:15]}_{baseline or own}_R010_{product[-6:]}"
            f"_{product[:8]}T191443",
            "s2_view_sun_azimuth": "50.0524479398",
            "s2_view_sun_elevation": "44.7780643248",
            "label_type": "high",
            "test": "2",
            "proj_shape": "509",
        }
        for place, product, own in CLOUDSEN12_CHIPS
    ]


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)


def cloudsen12_codes() -> np.ndarray:
    codes = np.zeros((509, 509), dtype=np.uint8)
    codes[0, :6] = [0, 1, 2, 3, 99, 255]
    return codes


def cloudsen12(folder: Path, baseline: str | None = None) -> dict[str, Any]:
    """The arrays: chip k has 1000 (k + 1) + band everywhere, one pixel from the upper left."""
    write_table(folder / "test" / "metadata.csv", cloudsen12_rows(baseline))
    count = len(CLOUDSEN12_CHIPS)
    for band, name in enumerate(CLOUDSEN12_BANDS):
        counts = np.zeros((count, 512, 512), dtype="<i2")
        counts[:, 1:510, 1:510] = 1000 * (1 + np.arange(count))[:, None, None] + band
        counts.tofile(folder / "test" / f"L1C_{name}.dat")
    codes = np.zeros((count, 512, 512), dtype=np.uint8)
    codes[:, 1:510, 1:510] = cloudsen12_codes()
    codes.tofile(folder / "test" / "LABEL_manual_hq.dat")
    return {"folder": folder}


def cloudsen12_tiffs(folder: Path) -> dict[str, Any]:
    """The same chips as folders of GeoTIFFs, 13 bands each."""
    write_table(folder / "cloudsen12_metadata.csv", cloudsen12_rows())
    place = {"crs": "EPSG:32719", "transform": Affine(10, 0, 440030, 0, -10, 4573910)}
    names = [f"B{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, "8A", 9, 10, 11, 12)]
    for index, (roi, product, _) in enumerate(CLOUDSEN12_CHIPS):
        chip = folder / "high" / roi / product
        counts = np.full((13, 509, 509), 7, dtype=np.int16)
        for band, name in enumerate(CLOUDSEN12_BANDS):
            counts[names.index(name)] = 1000 * (index + 1) + band
        write_tif(chip / "S2L1C.tif", counts, **place)
        write_tif(chip / "labels" / "manual_hq.tif", cloudsen12_codes()[None], **place)
    return {"folder": folder}


def tm_etm(folder: Path) -> dict[str, Any]:
    """One image of 2 x 3 pixels whose band b is (b + 1) / 10, all five codes and clear twice."""
    folder.mkdir(parents=True, exist_ok=True)
    image = np.broadcast_to(np.arange(1, 7, dtype=np.float32) / 10, (2, 3, 6))
    codes = np.array([[0, 1, 2], [3, 4, 3]], dtype=np.uint8)
    np.savez(folder / "landsat7.npz", img=image, msk=codes[..., None])
    return {"folder": folder}


#: Reflectance of the points of each class in `snow_spectra`, in any band.
SURFACES = {1: 0.8, 2: 0.3, 3: 0.5, 4: 0.2, 5: 0.05}


def snow_spectra(folder: Path) -> dict[str, Any]:
    """Two sites, thirty points of each class; class 5 of the second site has too few."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in TABLES.values():
        with (folder / table.file).open("w", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(("site_name", "image_date", "class", *table.columns.values()))
            for site in ("Gulkana", "Sperry"):
                for code, value in SURFACES.items():
                    few = site == "Sperry" and code == 5
                    for n in range(5 if few else 30):
                        values = [value + n * 1e-3 - table.offset] * len(table.columns)
                        writer.writerow((site, 20210610, code, *values))
    return {"folder": folder, "side": 64}


def twin(folder: Path) -> dict[str, Any]:
    del folder
    return {"count": 3, "side": 32}


def landcovernet(folder: Path) -> dict[str, Any]:
    """Two chips of two tiles in the STAC layout; one date is cloudy."""
    # that module takes `write_tif` from this one
    from tests.landcovernet.archive import layers, write_stac

    chips = {
        "35PNL_00": {"20180119": layers(), "20180203": layers(cloud=0.5)},
        "36RVP_10": {"20180630": layers(missing=0.25, level=2000)},
    }
    write_stac(folder, chips)
    return {"folder": folder}


#: dataset -> a function that writes an archive and returns the options for it
EXAMPLES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "biome": biome_scene,
    "biome_chips": biome,
    "cloud38": cloud38,
    "cloudsen12": cloudsen12,
    "eurosat": eurosat,
    "cloudless_scenes": cloudless_scenes,
    "labelled_scene": labelled_scene,
    "landcovernet": landcovernet,
    "landcovernet_clear": landcovernet,
    "sentinel2_chips": sentinel2,
    "snow_spectra": snow_spectra,
    "sparcs": sparcs,
    "tm_etm_chips": tm_etm,
    "twin": twin,
}

#: Where a map starts, for labels that are written by hand.
CORNER = Affine(30, 0, 600015, 0, -30, 5000025)
