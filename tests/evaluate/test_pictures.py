"""Pictures of the worst: the right colours in the right place."""

import numpy as np

from nndacss.evaluate.pictures import GAP, OPEN, PAPER, SIDE, triptych
from nndacss.labels.climate import COLOURS, SCHEME, Climate
from tests.evaluate.plain import CLEAR, CLOUD, sample


def test_image_truth_and_prediction_side_by_side():
    image = sample("a", [[CLEAR, CLOUD], [-1, CLOUD]])
    image.sets[1, 1] = 0b0111
    labels = np.array([[3, 255], [0, 1]], dtype=np.uint8)
    picture = triptych(image, labels, SCHEME)
    assert picture.shape == (2, 3 * 2 + 2 * GAP, 3)
    true = picture[:, 2 + GAP : 4 + GAP]
    said = picture[:, -2:]
    assert true[0].tolist() == [list(COLOURS[Climate.CLEAR]), list(COLOURS[Climate.CLOUD])]
    assert true[1].tolist() == [list(PAPER), list(OPEN)]
    assert said[0].tolist() == [list(COLOURS[Climate.CLOUD]), list(PAPER)]
    assert said[1].tolist() == [list(COLOURS[Climate.CLEAR]), list(COLOURS[Climate.SHADOW])]
    # red is the class code / 10: cloud is brighter than clear
    assert picture[0, 1].sum() > picture[0, 0].sum()


def test_large_images_are_thinned():
    image = sample("a", np.zeros((2 * SIDE, 3 * SIDE), int))
    picture = triptych(image, np.zeros(image.sets.shape, np.uint8), SCHEME)
    assert picture.shape[1] <= 3 * SIDE + 2 * GAP
