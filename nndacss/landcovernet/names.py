"""LandCoverNet's names: bands, layers, continents, collections; light, for settings."""

from __future__ import annotations

#: Sentinel-2 bands of the archive, all at 10 m, and their roles; there is no B10.
BANDS = {
    "B01": "coastal",
    "B02": "blue",
    "B03": "green",
    "B04": "red",
    "B05": "rededge071",
    "B06": "rededge075",
    "B07": "rededge078",
    "B08": "nir",
    "B8A": "nir08",
    "B09": "nir09",
    "B11": "swir16",
    "B12": "swir22",
}
#: Layers of quality: scene classification (0 is missing), cloud probability in % (255 is missing).
SCL, CLD = "SCL", "CLD"
#: Africa, Asia, Australia and Oceania, Europe, North and South America.
CONTINENTS = ("af", "as", "au", "eu", "na", "sa")


def labels_collection(continent: str) -> str:
    """The folder of a continent's labels.

    >>> labels_collection("af")
    'ref_landcovernet_af_v1_labels'
    """
    return f"ref_landcovernet_{continent}_v1_labels"


def images_collection(continent: str) -> str:
    """The folder of a continent's Sentinel-2 images.

    >>> images_collection("af")
    'ref_landcovernet_af_v1_source_sentinel_2'
    """
    return f"ref_landcovernet_{continent}_v1_source_sentinel_2"


def quarter(date: str) -> int:
    """1 to 4, of a date yyyymmdd.

    >>> quarter("20180331"), quarter("20180401")
    (1, 2)
    """
    return (int(date[4:6]) + 2) // 3
