"""`python -m nndacss.evaluate recipe.json`: the evaluate stage as a child process."""

from __future__ import annotations

import sys

from nndacss.evaluate.stage import evaluate_model
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(evaluate_model))
