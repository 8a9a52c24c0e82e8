"""Land cover: classes, and their codes in the archive."""

from nndacss.datasets.landcovernet import CODES
from nndacss.labels.land_cover import ARCHIVE_OFFSET, COLOURS, SCHEME, LandCover
from nndacss.labels.sets import to_labels, translate
from nndacss.plugins import load

#: The archive's own names of its codes, as in the items of its labels.
ARCHIVE = {
    1: "Water",
    2: "Artificial Bareground",
    3: "Natural Bareground",
    4: "Permanent Snow/Ice",
    5: "Woody Vegetation",
    6: "Cultivated Vegetation",
    7: "(Semi) Natural Vegetation",
}


def test_classes_are_the_archives_in_its_order():
    assert load("labels", "land_cover") is SCHEME
    assert len(SCHEME.classes) == len(SCHEME.colours) == len(ARCHIVE) == 7
    for code, name in ARCHIVE.items():
        words = SCHEME.classes[code - ARCHIVE_OFFSET].split("_")
        assert words[0] in name.lower().replace("(semi) ", "")
    assert len(set(COLOURS.values())) == 8


def test_unknown_is_no_class():
    import numpy as np

    codes = np.arange(8, dtype=np.uint8)[None]
    labels = to_labels(translate(codes, CODES, "a label"))
    assert labels.tolist() == [[255, 0, 1, 2, 3, 4, 5, 6]]
    assert LandCover.NODATA == 255
