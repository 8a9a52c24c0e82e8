"""`python -m nndacss.experiment recipe.json`: the experiment stage as a child process."""

from __future__ import annotations

import sys

from nndacss.experiment.stage import sum_up
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(sum_up))
