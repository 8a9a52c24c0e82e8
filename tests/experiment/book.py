"""A work folder of an experiment whose runs are counts made on paper."""

import json

from nndacss.experiment.results import collect
from nndacss.experiment.summary import summarise
from nndacss.identity import Order, Recipe
from nndacss.metrics.counts import Counts, Tally
from nndacss.stage import DONE, stage_folder

CLASSES = ("clear", "shadow", "snow", "cloud")
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)


def counts(tp, fp, fn, tn):
    """Of cloud and not cloud; shadow and snow are never there."""
    other = Tally(0, 0, 0, tp + fp + fn + tn)
    tallies = (Tally(tn, fn, fp, tp), other, other, Tally(tp, fp, fn, tn))
    none = (0,) * 5
    return Counts(CLASSES, tallies, ((tn, 0, 0, fp, 0), none, none, (fn, 0, 0, tp, 0)))


class Book:
    """A work folder in which runs are done one by one."""

    def __init__(self, work, settings=None):
        self.work, self.settings, self.runs, self.inputs = work, settings or {}, [], {}
        self.data = [
            {"title": "real", "kind": "biome_chips", "samples": 2, "scenes": 2},
            {"title": "drawn", "kind": "twin", "samples": 1, "scenes": 1},
        ]

    def run(self, model, seed=None, fold=None, real=(), drawn=(), unsuited="", done=True):
        key = f"{model}, {seed}, {fold}"
        order = Order(Recipe("evaluate", 1, {"key": {"key": key}}, {}), "m")
        order.save(self.work)
        kind = "variant" if seed is not None else "baseline"
        self.runs.append({"key": key, "model": model, "kind": kind, "seed": seed, "fold": fold})
        self.inputs[key] = order.recipe.digest
        if not done:
            return
        folder = stage_folder(self.work, order)
        (folder / "worst").mkdir(parents=True)
        (folder / "worst" / "a.png").write_bytes(PNG)
        samples = [
            {
                "data": title,
                "name": f"{scene}-1",
                "scene": scene,
                "sensor": "x",
                "level": "TOA",
                "metres": 30.0,
                "labelled": sum(sum(row) for row in counted.confusion),
                "counts": counted.to_json(),
            }
            | ({"strata": {name: part.to_json() for name, part in rest[0].items()}} if rest else {})
            for title, given in (("real", real), ("drawn", drawn))
            for scene, counted, *rest in given
        ]
        shown = [{"file": "worst/a.png", "name": "a<b", "error": 0.25}] if real else []
        common = {"kind": "k", "cross_validated": False, "simulated": False, "note": ""}
        first = common | {"cross_validated": True, "unsuited": unsuited, "worst": shown}
        second = common | {"simulated": True, "unsuited": "", "worst": []}
        text = {
            "scheme": "climate",
            "classes": CLASSES,
            "tolerance": 0,
            "model": {"name": model, "classes": CLASSES, "training": {}},
            "data": {"real": first, "drawn": second},
            "samples": samples,
        }
        (folder / "counts.json").write_text(json.dumps(text, sort_keys=True))
        (folder / DONE).write_text("{}")

    @property
    def order(self):
        plan = {"runs": self.runs, "data": self.data, "losses": ["a package is missing"]}
        settings = {"experiment": self.settings, "plan": plan}
        order = Order(Recipe("experiment", 1, settings, self.inputs), "test")
        order.save(self.work)
        return order

    def found(self):
        return summarise(self.order, *collect(self.work, self.order))
