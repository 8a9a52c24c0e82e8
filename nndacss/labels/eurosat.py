"""EuroSAT's ten kinds of land use, one a patch (Helber et al. 2019)."""

from __future__ import annotations

from nndacss.labels import Scheme

#: The archive's folder of each class, in the order of our codes.
FOLDERS = (
    "AnnualCrop",
    "Forest",
    "HerbaceousVegetation",
    "Highway",
    "Industrial",
    "Pasture",
    "PermanentCrop",
    "Residential",
    "River",
    "SeaLake",
)

#: Colours are our choice.
SCHEME = Scheme(
    name="eurosat",
    classes=(
        "annual_crop",
        "forest",
        "herbaceous_vegetation",
        "highway",
        "industrial",
        "pasture",
        "permanent_crop",
        "residential",
        "river",
        "sea_lake",
    ),
    colours=(
        (236, 186, 56),
        (24, 102, 44),
        (148, 198, 92),
        (90, 90, 96),
        (150, 70, 130),
        (176, 214, 128),
        (190, 140, 40),
        (196, 62, 52),
        (80, 150, 220),
        (41, 98, 190),
    ),
)
