"""`python -m nndacss.pairs recipe.json`: the pairs stage as a child process."""

from __future__ import annotations

import sys

from nndacss.pairs.stage import make_pairs
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(make_pairs))
