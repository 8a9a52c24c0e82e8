"""The largest learning rate of a phase, by a range test: Smith 2017, arXiv:1506.01186.

The rate grows with every step, and the loss falls until the rate is too large. What is taken is
where it falls most steeply. The test runs on a copy of the network, and its result is kept in a
file, so that a fit which is resumed goes on with the same rate.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from nndacss.identity import drafted
from nndacss.train.batches import DrawnData, Item
from nndacss.train.learner import Learner, decay_groups

#: Rates of the first and the last step, and how many steps; as fastai's `lr_find`.
LOWEST, HIGHEST, STEPS = 1e-7, 1.0, 100
#: The test ends where the smoothed loss is so many times its smallest.
DIVERGED = 4.0
#: Share of the past in the smoothed loss.
MEMORY = 0.9
#: Steps at the start that decide nothing: the loss has no past yet.
SKIPPED = 10


def found_rate(
    learner: Learner, data: DrawnData, file: Path, fallback: float, device: str
) -> float:
    """The rate that `file` holds, or that a test finds, which is then kept there.

    `fallback` where the loss falls nowhere.
    """
    if file.exists():
        return float(json.loads(file.read_text())["rate"])
    rates, losses = trial(learner, data, device)
    rate = steepest(rates, losses) or fallback
    with drafted(file) as draft:
        draft.write_text(json.dumps({"rate": rate, "rates": rates, "losses": losses}))
    return rate


def trial(learner: Learner, data: DrawnData, device: str) -> tuple[list[float], list[float]]:
    """Rates and losses, step by step, of a copy of the learner; the learner stays as it is."""
    probe = copy.deepcopy(learner).to(device).train()
    settings = data.settings
    optimizer = torch.optim.AdamW(decay_groups(probe.network, settings.decay), lr=LOWEST)
    rates, losses = [], []
    batches = _endless(data)
    smallest, smoothed = float("inf"), 0.0
    for step, rate in enumerate(np.geomspace(LOWEST, HIGHEST, STEPS).tolist()):
        for group in optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(settings.seed * 1_000_003 + step)
        batch = {name: value.to(device) for name, value in next(batches).items()}
        loss = probe.cost(batch)
        value = float(loss.detach())
        smoothed = MEMORY * smoothed + (1 - MEMORY) * value
        now = smoothed / (1 - MEMORY ** (step + 1))
        if not np.isfinite(value) or now > DIVERGED * smallest:
            break
        smallest = min(smallest, now)
        rates.append(rate)
        losses.append(now)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return rates, losses


def _endless(data: DrawnData) -> Iterator[Item]:
    while True:
        yield from data.train_dataloader()


def steepest(rates: Sequence[float], losses: Sequence[float]) -> float | None:
    """The rate at which the loss falls most over the logarithm of the rate; None where nowhere.

    >>> steepest([10.0**k for k in range(-13, 0)], [3.0] * 10 + [2.9, 1.0, 1.1])
    0.001
    """
    if len(rates) < SKIPPED + 3:
        return None
    slope = np.gradient(np.asarray(losses), np.log(np.asarray(rates)))[SKIPPED:]
    place = int(np.argmin(slope))
    return float(rates[SKIPPED + place]) if slope[place] < 0 else None
