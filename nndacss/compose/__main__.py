"""`python -m nndacss.compose recipe.json`: the compose stage as a child process."""

from __future__ import annotations

import sys

from nndacss.compose.stage import compose_samples
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(compose_samples))
