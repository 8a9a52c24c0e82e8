"""`python -m nndacss.samples recipe.json`: the samples stage as a child process."""

from __future__ import annotations

import sys

from nndacss.samples.stage import make_samples
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(make_samples))
