"""How hard the twin is: a one-band threshold and a published network, beside real chips."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.simulate.check import real
from nndacss.simulate.check.parts import Labelled, Part, Table
from nndacss.simulate.check.statistics import Counts, best_threshold, counted
from nndacss.simulate.check.twin import Twin

#: A single band must not find clouds better than this, or the twin is too easy.
EASIEST = 0.90

#: How far the network's cloud IoU on the twin may lie from that on real chips.
APART = 0.15

#: Optical thickness that people may or may not call cloud: a veil of 0.8 adds 0.09 reflectance.
DOUBT = (0.1, 0.8)

#: Classes of the network (rows, columns), and the chip as the network saw it.
Seen = tuple[NDArray[np.uint8], Labelled]

#: How to get what is optional.
INSTALL = "pip install 'ukis-csmask[cpu]==1.0.0'"

_TEXT = (
    "Scores are of pooled pixels. One band: the best of all bands and of a thousand thresholds, "
    "chosen with the labels at hand, so an upper limit for any rule of that kind; it must not "
    f"exceed {EASIEST:.2f} on the twin. Network: ukis-csmask 1.0.0, trained by others on real "
    f"images; on the twin its cloud score should lie within {APART:.2f} of the real chips that "
    "were held back from tuning. Shadow is scored only where a chip's labels have it. The twin "
    "counts as cloud what has an optical thickness of 0.3, thinner than people mark: the last two "
    f"columns leave out what lies between {DOUBT[0]} and {DOUBT[1]}."
)


def difficulty(data: Path, twin: Twin) -> Part:
    """The table of scores."""
    sets: dict[str, list[Labelled]] = {
        "Biome train (tuned on)": real.biome(data, "train"),
        "Biome val (held back)": real.biome(data, "val"),
        "twin, Landsat TOA 30 m": twin.landsat,
        **_by_source(real.sentinel2(data)),
        "twin, Sentinel-2 SR 10 m": twin.sentinel2,
    }
    missing = [f"{name}: no chips" for name, chips in sets.items() if not chips]
    known = {name: chips for name, chips in sets.items() if chips}
    network = find_spec("ukis_csmask") is not None
    if not network:
        missing.append(f"ukis-csmask is not installed: {INSTALL}")
    numbers = {name: _scores(chips, network) for name, chips in known.items()}
    table = _table(numbers, network)
    return Part("Difficulty", _TEXT, (table,), (), tuple(missing), numbers)


def _by_source(chips: Sequence[Labelled]) -> dict[str, list[Labelled]]:
    names = {"alberta": "Alberta, Sentinel-2 SR 30 m", "oncloudn": "On Cloud N, SR 10 m"}
    return {
        title: [chip for chip in chips if chip.source == source] for source, title in names.items()
    }


def _scores(chips: Sequence[Labelled], network: bool) -> dict[str, Any]:
    """Scores of one set, as JSON."""
    role, threshold, iou = one_band(chips)
    result: dict[str, Any] = {
        "chips": len(chips),
        "cloud_share": float(np.mean([chip.cloud[chip.valid].mean() for chip in chips])),
        "one_band": {"band": role, "threshold": threshold, "cloud_iou": iou},
    }
    if network:
        with ThreadPoolExecutor(2) as pool:
            seen = list(pool.map(csmask, chips))
        marked = sum(chip.shadow is not None for chip in chips)
        result["ukis_csmask"] = {**_ious(seen), "shadow_chips": marked}
        if chips[0].thickness is not None:
            result["ukis_csmask"]["plain"] = _ious(seen, doubtful=False)
    return result


def _ious(seen: Sequence[Seen], doubtful: bool = True) -> dict[str, float | None]:
    cloud, shadow = csmask_counts(seen, doubtful)
    return {"cloud_iou": _known(cloud.iou), "shadow_iou": _known(shadow.iou)}


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def one_band(chips: Sequence[Labelled], step: int = 2) -> tuple[str, float, float]:
    """Band, threshold and cloud IoU of the best rule on one band; every `step`th pixel."""
    cloud = np.concatenate([chip.cloud[::step, ::step][_valid(chip, step)] for chip in chips])
    best = ("", 0.0, -1.0)
    for role in chips[0].roles:
        values = [chip.band(role)[::step, ::step][_valid(chip, step)] for chip in chips]
        threshold, iou = best_threshold(np.concatenate(values), cloud)
        if iou > best[2]:
            best = (role, threshold, iou)
    return best


def _valid(chip: Labelled, step: int) -> Any:
    return chip.valid[::step, ::step]


def csmask_counts(seen: Sequence[Seen], doubtful: bool = True) -> tuple[Counts, Counts]:
    """Cloud and shadow counts of what `csmask` gave: 1 cloud, 2 shadow in its mask.

    `doubtful=False` leaves out clouds so thin that people may or may not mark them (`DOUBT`), where
    their thickness is known.
    """
    cloud, shadow = Counts(), Counts()
    for found, chip in seen:
        where = chip.valid
        if not doubtful and chip.thickness is not None:
            where = where & ~((chip.thickness >= DOUBT[0]) & (chip.thickness < DOUBT[1]))
        cloud += counted(found == 1, chip.cloud, where)
        if chip.shadow is not None:
            shadow += counted(found == 2, chip.shadow & ~chip.cloud, where)
    return cloud, shadow


def csmask(chip: Labelled) -> Seen:
    """The network's classes, and the chip as it saw it.

    Ten-metre chips are first averaged to 30 m, which the network was trained for.
    """
    from ukis_csmask.mask import CSmask  # type: ignore[import-untyped, import-not-found, unused-ignore]

    small = averaged(chip, round(30 / chip.metres)) if chip.metres < 30 else chip
    names = {"nir08": "nir", "cirrus": ""}
    kept = [n for n, role in enumerate(small.roles) if names.get(role, role)]
    pixels = np.nan_to_num(np.moveaxis(small.pixels[kept], 0, -1)).astype(np.float32)
    rows, columns = pixels.shape[:2]
    wide = (0, max(0, 256 - rows)), (0, max(0, 256 - columns)), (0, 0)
    order = [names.get(small.roles[n], small.roles[n]) for n in kept]
    level = "l1c" if small.level == "TOA" else "l2a"
    mask = CSmask(np.pad(pixels, wide, mode="reflect"), order, level, intra_op_num_threads=1)
    return mask.csm[:rows, :columns, 0], small


def averaged(chip: Labelled, factor: int) -> Labelled:
    """Blocks of `factor` pixels: mean reflectance; a class where it holds at least half."""
    rows, columns = (size // factor for size in chip.cloud.shape)

    def blocks(plane: Any) -> Any:
        cut = plane[..., : rows * factor, : columns * factor]
        shape = (*cut.shape[:-2], rows, factor, columns, factor)
        return cut.reshape(shape).mean(axis=(-3, -1))

    shadow = None if chip.shadow is None else blocks(chip.shadow) >= 0.5
    return Labelled(
        chip.name,
        chip.source,
        blocks(chip.pixels).astype(np.float32),
        chip.roles,
        chip.level,
        blocks(chip.cloud) >= 0.5,
        None,
        shadow,
        metres=chip.metres * factor,
        thickness=None if chip.thickness is None else blocks(chip.thickness).astype(np.float32),
    )


def _table(numbers: dict[str, dict[str, Any]], network: bool) -> Table:
    columns: tuple[str, ...] = ("set", "chips", "cloud share", "best band", "one band, cloud IoU")
    if network:
        columns += ("ukis-csmask: cloud", "shadow", "without doubtful: cloud", "shadow")
    rows = tuple(_row(name, scores, network) for name, scores in numbers.items())
    made = {name: scores for name, scores in numbers.items() if name.startswith("twin")}
    easy = {name: s["one_band"]["cloud_iou"] <= EASIEST for name, s in made.items()}
    words = [
        "The twin is not too easy for one band."
        if all(easy.values())
        else f"Too easy for one band: {', '.join(n for n, ok in easy.items() if not ok)}."
    ]
    agrees = all(easy.values())
    held, landsat = numbers.get("Biome val (held back)"), numbers.get("twin, Landsat TOA 30 m")
    if network and held and landsat:
        apart = landsat["ukis_csmask"]["cloud_iou"] - held["ukis_csmask"]["cloud_iou"]
        close = abs(apart) <= APART
        agrees &= close
        words.append(
            f"The network's cloud score on the twin is {apart:+.2f} from that on held-back "
            f"Biome chips, {'within' if close else 'not within'} {APART:.2f}."
        )
        tuned = numbers.get("Biome train (tuned on)")
        if tuned:
            nearer = landsat["ukis_csmask"]["cloud_iou"] - tuned["ukis_csmask"]["cloud_iou"]
            words.append(f"From the chips tuned on it is {nearer:+.2f}.")
    marks = tuple(easy.get(name) for name in numbers)
    return Table("Scores", columns, rows, " ".join(words), agrees, marks)


def _row(name: str, scores: dict[str, Any], network: bool) -> tuple[str, ...]:
    band = scores["one_band"]
    row = [name, str(scores["chips"]), f"{scores['cloud_share']:.2f}"]
    row += [f"{band['band']} \N{GREATER-THAN OR EQUAL TO} {band['threshold']:.2f}"]
    row += [f"{band['cloud_iou']:.3f}"]
    if network:
        for part in (scores["ukis_csmask"], scores["ukis_csmask"].get("plain", {})):
            values = [part.get(key) for key in ("cloud_iou", "shadow_iou")]
            row += ["\N{EN DASH}" if value is None else f"{value:.3f}" for value in values]
    return tuple(row)
