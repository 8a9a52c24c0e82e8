"""Peers on the same pixels; their packages are optional.

ukis-csmask 1.0.0 (DLR, Apache-2.0; Wieland et al. 2019, Multi-sensor cloud and cloud shadow
segmentation with a convolutional neural network, Remote Sensing of Environment 230): four bands
or six, top of atmosphere (l1c) or surface (l2a), classes 0 background, 1 cloud, 2 cloud shadow.
It knows no snow. Its documentation: "for better performance requires image bands to be in
approximately 30 m resolution".
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from nndacss.datasets import Sample
from nndacss.errors import SettingsError, complain
from nndacss.evaluate.models import Labels, Unsuited, at_metres
from nndacss.evaluate.settings import TestData
from nndacss.labels import NODATA
from nndacss.labels.climate import Climate
from nndacss.raster import Pixels

#: Kind -> distribution to install, and the module it brings.
PACKAGES = {"ukis_csmask": ("ukis-csmask[cpu]==1.0.0", "ukis_csmask")}
#: Its class codes -> ours.
_UKIS = np.array([Climate.CLEAR, Climate.CLOUD, Climate.SHADOW], dtype=np.uint8)


class UkisCsmask:
    """ukis-csmask at the image's own pixels, or averaged to about `metres`."""

    def __init__(self, metres: float = 0.0, threads: int = 0) -> None:
        absent = missing("ukis_csmask")
        if absent:
            expected = "the optional package"
            raise SettingsError(complain("ukis_csmask", "not installed", expected, absent))
        self.metres = metres
        self.threads = threads
        self.facts: Mapping[str, Any] = {
            "kind": "ukis_csmask",
            "name": f"ukis-csmask {installed('ukis_csmask')}",
            "classes": ["clear", "shadow", "cloud"],
            "training": {"data": "Landsat-8 and Sentinel-2 images, by its authors"},
        }

    def __call__(self, sample: Sample, entry: TestData) -> Labels:
        """Labels of one sample; it has one near infrared, and takes either."""
        del entry
        near = "nir08" if "nir08" in sample.roles else "nir"
        roles = ["blue", "green", "red", near]
        absent = [role for role in roles if role not in sample.roles]
        if absent:
            raise Unsuited("needs near infrared" if absent == ["nir"] else f"needs {absent[0]}")
        if {"swir16", "swir22"} <= set(sample.roles):
            roles += ["swir16", "swir22"]
        pixels = sample.pixels[[sample.roles.index(role) for role in roles]]
        level = "l1c" if sample.level == "TOA" else "l2a"
        return at_metres(
            pixels, sample.metres, self.metres, lambda small, _: self._predict(small, level)
        )

    def _predict(self, pixels: Pixels, level: str) -> Labels:
        from ukis_csmask.mask import CSmask

        there = np.isfinite(pixels).all(axis=0)
        image = np.ascontiguousarray(np.moveaxis(np.where(there, pixels, np.float32(0)), 0, 2))
        names = ["blue", "green", "red", "nir", "swir16", "swir22"][: len(pixels)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "smaller than 256 x 256"
            found = CSmask(
                image,
                band_order=names,
                product_level=level,
                intra_op_num_threads=self.threads,
                providers=["CPUExecutionProvider"],
            )
        labels = _UKIS[found.csm[..., 0]]
        return np.where(there, labels, np.uint8(NODATA)).astype(np.uint8)


def missing(kind: str) -> str:
    """How to install what a kind of baseline needs, or "" where it is there. Light."""
    package, module = PACKAGES.get(kind, ("", ""))
    if not module or importlib.util.find_spec(module):
        return ""
    return f"pip install '{package}'"


def installed(kind: str) -> str:
    """The version of a kind's package."""
    try:
        return version(PACKAGES[kind][0].partition("[")[0])
    except PackageNotFoundError:
        return "unknown"
