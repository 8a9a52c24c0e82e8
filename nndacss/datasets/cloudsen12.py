"""CloudSEN12: Sentinel-2 chips of 509 x 509 pixels of 10 m, drawn by people, five dates a place.

Only the labels of high quality, where every pixel was drawn: 8,490 chips for training, 535 for
validation, 975 for testing (`splits`; the default is test, since Sentinel-2 labels serve testing).
Codes: 0 clear, 1 thick cloud, 2 thin cloud, 3 shadow; 99 and 255 unlabelled. There is no class for
snow: 0 is {clear, snow}. Two published forms, see `cloudsen12_files`:

Arrays (Hugging Face, csaybar/CloudSEN12-high): `<split>/L1C_B2.dat` and `L2A_...`, raw int16 of
    (chips, 512, 512), `LABEL_manual_hq.dat` uint8, `metadata.csv`. Chips lie in zeros, on which
    side the descriptions disagree; zeros are missing here, wherever they are.
GeoTIFFs (the authors' folders): `cloudsen12_metadata.csv`, and for each chip
    `<roi_id>/<s2_id_gee>/{S2L1C,S2L2A}.tif` and `labels/manual_hq.tif`.

Reflectance is count / 10000: all products are older than processing baseline 04.00, which added an
offset; a later one is an error. Bands of 20 and 60 m were brought to 10 m by their makers. Some
first uploads of bands hold nothing but zeros (the sum of `test/L1C_B8.dat` at an early revision is
that of so many zeros): a band without data where others have some is an error.

Aybar et al. 2022, CloudSEN12, a global dataset for semantic understanding of cloud and cloud shadow
in Sentinel-2, Scientific Data 9, 782. The arrays are CC BY-NC 4.0 as their page says, its successor
CloudSEN12+ is CC0. Sentinel-2: Copernicus, free and open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from nndacss.datasets import Dataset, Sample
from nndacss.datasets.archives import Archive
from nndacss.datasets.cloudsen12_files import Chip, Form, form_at
from nndacss.errors import DatasetError, complain
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of, translate
from nndacss.sensors import REFLECTIVE

Split = Literal["train", "val", "test"]

_PAGE = "https://huggingface.co/datasets/csaybar/CloudSEN12-high/resolve/main/"
#: The test part: 975 chips. Size and sums as the page states them; for B8 it states only the sum
#: of an early upload of zeros, for the table none.
ARCHIVES = tuple(
    Archive(f"test/{name}", f"{_PAGE}test/{name}", size, sha256, "file")
    for name, size, sha256 in (
        ("metadata.csv", None, None),
        (
            "LABEL_manual_hq.dat",
            975 * 512 * 512,
            "6abe82d011d7c12f373f1bf8d5f3bdded9ba76f74a7f67604fc250a7be8fc281",
        ),
        *(
            (f"L1C_{band}.dat", 975 * 512 * 512 * 2, sha256)
            for band, sha256 in (
                ("B2", "e27fb7104ad28eaaf3c17de94119d9ae76d73d58d2db3d6c48e57264df7f9562"),
                ("B3", "a550e18b6deeb516b9871af7a510f6acc06470619d698197f18b39fc31ce4e3d"),
                ("B4", "7a50a42e5aa1e3392c0403536c00181ce882aa7cf1982fa64f2fbcd3c6f78f9a"),
                ("B8", None),
                ("B8A", "2321b5d11f7e457fb3544e1670f1207682ad39c9c0fdda0f8bb25e7c4b0e042a"),
                ("B11", "b36f0740687acbea045ffd75fe68cb95b4256656a79205d1eb6aeada07c9f777"),
                ("B12", "e10bba640867f77a9f2ec838d44ec11caa2252dc91818113e07e055baa022b03"),
            )
        ),
    )
)

#: Role -> band of both levels; cirrus is in Level-1C only.
ROLES = {
    "coastal": "B1",
    "blue": "B2",
    "green": "B3",
    "red": "B4",
    "nir": "B8",
    "nir08": "B8A",
    "cirrus": "B10",
    "swir16": "B11",
    "swir22": "B12",
}
_CLOUD = of(Climate.CLOUD)
_TABLE = {
    0: of(Climate.CLEAR, Climate.SNOW),
    1: _CLOUD,
    2: _CLOUD,
    3: of(Climate.SHADOW),
    99: 0,
    255: 0,
}
_SCALE = 10000
#: The first baseline with an offset in its counts.
_OFFSET_SINCE = 400


class CloudSen12(Dataset):
    """Options: where the archive lies, which chips, which bands."""

    folder: Path
    """Holds the folders of the splits, or `cloudsen12_metadata.csv`."""
    splits: tuple[Split, ...] = ("test",)
    """The authors' own, which are apart by place."""
    level: Literal["L1C", "L2A"] = "L1C"
    roles: tuple[str, ...] = REFLECTIVE
    """Any of coastal, blue, green, red, nir, nir08, cirrus (L1C only), swir16, swir22."""

    @model_validator(mode="after")
    def _known(self) -> CloudSen12:
        known = [role for role in ROLES if self.level == "L1C" or role != "cirrus"]
        if not self.roles or not set(self.roles) <= set(known):
            raise ValueError(f"roles: choose from {', '.join(known)}")
        if not self.splits:
            raise ValueError("splits: choose from train, val, test")
        return self

    def names(self) -> tuple[str, ...]:
        """Chips, `<roi_id>__<s2_id_gee>`, sorted."""
        return tuple(sorted(self._chips()))

    def scene(self, name: str) -> str:
        """The place with all its dates, e.g. `cloudsen12-ROI_0001`."""
        return f"cloudsen12-{name.partition('__')[0]}"

    def fingerprint(self) -> Mapping[str, Any]:
        """Sizes of the images, sums of labels and tables, and the options that decide pixels."""
        return {
            "files": [form.fingerprint() for form in self._forms()],
            "splits": self.splits,
            "level": self.level,
            "roles": self.roles,
        }

    def load(self, name: str) -> Sample:
        """One chip."""
        form, chip = self._chips()[name]
        _check_baseline(chip)
        counts, codes = form.load(chip)
        missing = (counts == 0).all(axis=0)
        self._check_bands(name, counts, missing)
        pixels = np.where(missing, np.float32(np.nan), counts.astype(np.float32) / _SCALE)
        sets = translate(codes, _TABLE, f"{self.folder}: {name}")
        return Sample(
            name=name,
            scene=self.scene(name),
            pixels=pixels.astype(np.float32),
            roles=self.roles,
            sets=np.where(missing, np.uint16(0), sets).astype(np.uint16),
            sensor="sentinel2_msi",
            level="TOA" if self.level == "L1C" else "SR",
            metres=10.0,
            sun=chip.sun,
        )

    def _check_bands(
        self, name: str, counts: NDArray[np.int16], missing: NDArray[np.bool_]
    ) -> None:
        empty = [role for role, band in zip(self.roles, counts, strict=True) if not band.any()]
        if empty and not missing.all():
            found = f"only zeros in {', '.join(ROLES[role] for role in empty)}"
            remedy = "fetch that band again: some first uploads were empty"
            raise DatasetError(complain(f"{self.folder}: {name}", found, "counts", remedy))

    def _forms(self) -> list[Form]:
        return form_at(
            self.folder, self.splits, self.level, tuple(ROLES[role] for role in self.roles)
        )

    def _chips(self) -> dict[str, tuple[Form, Chip]]:
        return {name: (form, chip) for form in self._forms() for name, chip in form.chips().items()}


def _check_baseline(chip: Chip) -> None:
    """DatasetError where the counts have an offset, or may have one."""
    match = re.search(r"_N(\d{4})_", chip.level_1)
    if match is None or int(match[1]) >= _OFFSET_SINCE:
        found = f"baseline {match[1]}" if match else f"no baseline in {chip.level_1!r}"
        remedy = "leave the chip out: its counts may have an offset"
        raise DatasetError(complain(chip.name, found, "one below N0400", remedy))


DATASET = CloudSen12
