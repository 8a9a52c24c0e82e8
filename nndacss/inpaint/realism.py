"""How real painted clouds and shadows look: a small judge, and band statistics.

Patches around the borders of real clouds of a store, and around painted ones, are shown to a small
convolutional network that learns to tell them apart; its AUC on patches of scenes that it has not
seen is the score: 0.5 where it cannot tell, 1.0 where it always can. Painted clouds are drawn onto
ground of the same scenes wherever these have some, so that the ground does not tell.

Band statistics: median reflectance of cloud inside, and of shadow over the clear ground around it,
of real and of painted ones, for each band.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from nndacss.errors import DatasetError, complain
from nndacss.inpaint.painter import Painter, Patch
from nndacss.inpaint.precedence import CLEAR, CLOUD, SHADOW
from nndacss.labels.sets import Sets
from nndacss.raster import Pixels
from nndacss.samples.split import folds
from nndacss.samples.store import SampleStore
from nndacss.train.draws import seeded

Mask = NDArray[np.bool_]

#: Rows and columns of a patch, patches of a sample at most, and least number of each kind.
SIDE, MOST, LEAST = 48, 6, 20
#: Least and greatest share of cloud in a patch: its border is what tells.
SHARE = (0.15, 0.85)
#: Folds by scene: each patch is judged by a network that has not seen its scene.
FOLDS = 3
#: Passes through the patches, batch and largest rate of the judge.
EPOCHS, BATCH, RATE = 30, 32, 2e-3
#: Pixels of a structure, and around it, without which it has no statistics.
_PIXELS = 60


@dataclass(frozen=True)
class Found:
    """One patch for the judge."""

    pixels: Pixels
    """(bands, SIDE, SIDE), no NaN."""
    painted: bool
    scene: str


@dataclass(frozen=True)
class Realism:
    """How real painted structures look."""

    auc: float
    """Of the judge on scenes that it has not seen; 0.5 cannot tell, 1.0 always can."""
    real: int
    """Patches around real clouds."""
    painted: int
    bands: tuple[Mapping[str, str | float | None], ...]
    """Per band: `role`, `cloud` and `cloud_painted` (reflectance), `shadow` and `shadow_painted`
    (share of the clear ground around); None where there is none."""

    @property
    def sentence(self) -> str:
        """The score in words."""
        return (
            f"A small network tells {self.painted} painted patches from {self.real} real ones "
            f"with an AUC of {self.auc:.2f} on scenes that it has not seen (0.5: not at all)."
        )


def realism(store: SampleStore, painter: Painter, seed: int) -> Realism:
    """The judge's AUC, and statistics; DatasetError where there is too little to judge by."""
    found: list[Found] = []
    inside: dict[str, list[NDArray[np.float64]]] = {}
    for index in range(len(store)):
        for painted, pixels, sets, own in _both(store, painter, index, seed):
            rng = seeded("realism", seed, index, int(painted))
            scene = store.records[index].scene
            found += [
                Found(part, painted, scene) for part in borders(pixels, own & (sets == CLOUD), rng)
            ]
            _add_statistics(inside, pixels, sets, own, painted=painted)
    counts = [sum(one.painted == kind for one in found) for kind in (False, True)]
    if min(counts) < LEAST:
        what = f"{counts[0]} patches around real clouds, {counts[1]} around painted ones"
        remedy = "give a store with more clouds and more clear ground"
        raise DatasetError(complain(store.path, what, f"at least {LEAST} of each", remedy))
    auc = judged(found, seed)
    return Realism(auc, counts[0], counts[1], tuple(_rows(inside, store.roles)))


def _both(
    store: SampleStore, painter: Painter, index: int, seed: int
) -> Iterator[tuple[bool, Pixels, Sets, Mask]]:
    """A sample with what is real of it, and painted with what is painted."""
    pixels, sets = store.read(index)
    record = store.records[index]
    yield False, pixels, sets, np.ones(sets.shape, bool)
    patch = Patch(pixels, sets, store.roles, record.metres, record.sun, record.level)
    options = painter.settings.model_copy(update={"modes": (), "snow_chance": 0.0})
    own = Painter(painter.bank, options, painter.networks)
    (done,) = own.paint_batch([patch], [seeded("realism paint", seed, index)])
    # far enough from real clouds that a patch shows none
    apart = ~ndimage.binary_dilation(sets & CLOUD != 0, iterations=3)
    yield True, done.pixels, done.sets, (done.sets != sets) & apart


def borders(pixels: Pixels, cloud: Mask, rng: np.random.Generator) -> list[Pixels]:
    """Patches with some cloud and something else, in any order; none with missing pixels."""
    shares = ndimage.uniform_filter(cloud.astype(np.float32), SIDE, mode="constant")
    half = SIDE // 2
    centres = np.zeros(cloud.shape, bool)
    centres[half:-half:8, half:-half:8] = True
    rows, columns = np.nonzero(centres & (shares >= SHARE[0]) & (shares <= SHARE[1]))
    result = []
    for place in rng.permutation(rows.size)[:MOST]:
        top, left = rows[place] - half, columns[place] - half
        part = pixels[:, top : top + SIDE, left : left + SIDE]
        if not np.isnan(part).any():
            result.append(part.copy())
    return result


def _add_statistics(
    inside: dict[str, list[NDArray[np.float64]]],
    pixels: Pixels,
    sets: Sets,
    own: Mask,
    *,
    painted: bool,
) -> None:
    """The sample's medians, one a band, among those of its kind."""
    tail = "_painted" if painted else ""
    cloud, shadow = own & (sets == CLOUD), own & (sets == SHADOW)
    clear = (sets & CLEAR != 0) & (sets & CLOUD == 0)
    around = ndimage.binary_dilation(shadow, iterations=12) & clear
    around &= ~ndimage.binary_dilation(shadow | (sets == CLOUD), iterations=3)
    if cloud.sum() >= _PIXELS:
        inside.setdefault("cloud" + tail, []).append(medians(pixels, cloud))
    if min(shadow.sum(), around.sum()) >= _PIXELS:
        ratio = medians(pixels, shadow) / medians(pixels, around)
        inside.setdefault("shadow" + tail, []).append(ratio)


def medians(pixels: Pixels, mask: Mask) -> NDArray[np.float64]:
    """(bands,) of the pixels that are seen; NaN in a band without any."""
    values = (band[mask & ~np.isnan(band)] for band in pixels)
    return np.array([float(np.median(some)) if some.size else np.nan for some in values])


def _rows(
    inside: Mapping[str, Sequence[NDArray[np.float64]]], roles: Sequence[str]
) -> Iterator[Mapping[str, str | float | None]]:
    for band, role in enumerate(roles):
        row: dict[str, str | float | None] = {"role": role}
        for kind in ("cloud", "cloud_painted", "shadow", "shadow_painted"):
            values = [one[band] for one in inside.get(kind, ()) if not np.isnan(one[band])]
            row[kind] = float(np.median(values)) if values else None
        yield row


def judged(found: Sequence[Found], seed: int) -> float:
    """AUC of judges that have not seen the scenes they judge."""
    scenes = [one.scene for one in found]
    count = min(FOLDS, len(set(scenes)))
    if count < 2:
        what, remedy = "patches of one scene", "give samples of more scenes"
        raise DatasetError(complain("realism", what, "at least two scenes", remedy))
    fold = folds(scenes, count, seed)
    images = torch.from_numpy(np.stack([one.pixels for one in found]))
    answers = torch.tensor([float(one.painted) for one in found])
    where = torch.tensor([fold[scene] for scene in scenes])
    scores = torch.empty(len(found))
    for number in range(count):
        held = where == number
        judge = _trained(images[~held], answers[~held], seed + number)
        with torch.inference_mode():
            scores[held] = judge(images[held])[:, 0]
    return auc(scores.numpy(), answers.numpy() > 0)


class Judge(nn.Module):
    """(n, bands, SIDE, SIDE) reflectance -> (n, 1), above 0 for painted; 20,000 weights."""

    def __init__(self, bands: int, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.mean, self.spread = mean[:, None, None], spread[:, None, None]
        widths, layers = (bands, 16, 32, 48), []
        for inner, outer in pairwise(widths):
            layers += [
                nn.Conv2d(inner, outer, 3, padding=1),
                nn.BatchNorm2d(outer),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
        self.layers = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.last = nn.Linear(widths[-1], 1)

    def forward(self, images: Tensor) -> Tensor:
        """Scores."""
        result: Tensor = self.last(self.layers((images - self.mean) / self.spread))
        return result


def _trained(images: Tensor, answers: Tensor, seed: int) -> Judge:
    """Trained with turns and mirrorings; both kinds weigh the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        mean, spread = images.mean(dim=(0, 2, 3)), images.std(dim=(0, 2, 3)) + 1e-6
        judge = Judge(images.shape[1], mean, spread)
        ratio = (answers == 0).sum() / (answers == 1).sum().clamp(min=1)
        measure = nn.BCEWithLogitsLoss(pos_weight=ratio)
        optimizer = torch.optim.AdamW(judge.parameters(), RATE, weight_decay=0.01)
        steps = EPOCHS * -(-len(images) // BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
        for _ in range(EPOCHS):
            for chosen in torch.split(torch.randperm(len(images)), BATCH):
                some = torch.rot90(images[chosen], int(torch.randint(4, ())), (2, 3))
                if torch.rand(()) < 0.5:
                    some = some.flip(3)
                loss = measure(judge(some)[:, 0], answers[chosen])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
    return judge.eval()


def auc(scores: NDArray[np.float32], positive: Mask) -> float:
    """Area under the receiver's curve: how often a positive scores above a negative; ties half.

    >>> auc(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True]))
    0.875
    """
    order = np.sort(scores[~positive])
    below = np.searchsorted(order, scores[positive], "left")
    upto = np.searchsorted(order, scores[positive], "right")
    return float((below + upto).mean() / 2 / max(order.size, 1))
