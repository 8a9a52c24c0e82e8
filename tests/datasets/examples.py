"""A small archive of each dataset, written by hand in its own layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from nndacss.simulate.landsat import write_landsat

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


def twin(folder: Path) -> dict[str, Any]:
    del folder
    return {"count": 3, "side": 32}


#: dataset -> a function that writes an archive and returns the options for it
EXAMPLES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "biome_chips": biome,
    "labelled_scene": labelled_scene,
    "sentinel2_chips": sentinel2,
    "twin": twin,
}

#: Where a map starts, for labels that are written by hand.
CORNER = Affine(30, 0, 600015, 0, -30, 5000025)
