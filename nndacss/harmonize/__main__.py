"""`python -m nndacss.harmonize recipe.json`: the harmonize stage as a child process."""

from __future__ import annotations

import sys

from nndacss.harmonize.stage import harmonize_scene
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(harmonize_scene))
