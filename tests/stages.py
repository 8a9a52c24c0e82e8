"""What the tests of stages share: inputs that are done, and a run that is stopped."""

from __future__ import annotations

import json

import pytest

from nndacss.identity import Order, Recipe
from nndacss.stage import Context


def finished_store(root, stage, make_store):
    """The order of a store that its stage has made below a work root, and the store."""
    order = Order(Recipe(stage, 1, {}, {"twin": "00"}), "small")
    order.save(root)
    folder = root / stage / order.target
    make_store(folder / f"{stage}.h5")
    (folder / "stage.json").write_text(json.dumps({"summary": {}}))
    return order, folder / f"{stage}.h5"


def begun(order, root):
    """The context of an order's stage in this process, with its folder."""
    order.save(root)
    context = Context(order, root, root / "products", threads=1)
    context.folder.mkdir(parents=True)
    return context


def stop_and_go_on(monkeypatch, stage, worker, body, context, after):
    """Names of the jobs that are done by a `body` stopped after some of them, and by the next.

    `stage` is the module, `worker` its function that does one job. What is left in between is
    a part a job, and no store.
    """
    real, seen = getattr(stage, worker), []

    def dying(job):
        if len(seen) == after:
            raise KeyboardInterrupt
        seen.append(job.name)
        real(job)

    monkeypatch.setattr(stage, worker, dying)
    with pytest.raises(KeyboardInterrupt):
        body(context)
    (parts,) = context.folder.iterdir()
    assert (parts.name, len(list(parts.iterdir()))) == ("parts", after)
    monkeypatch.setattr(stage, worker, lambda job: (seen.append(job.name), real(job)))
    body(context)
    return seen[:after], seen[after:]


def damage_part(monkeypatch, stage, body, context, index):
    """The path of a part that lost its end between making all parts and joining them."""
    monkeypatch.setattr(stage, "join_stores", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        body(context)
    monkeypatch.undo()
    part = sorted((context.folder / "parts").iterdir())[index]
    part.write_bytes(part.read_bytes()[:-100])
    return part
