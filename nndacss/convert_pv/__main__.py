"""`python -m nndacss.convert_pv recipe.json`: the convert_pv stage as a child process."""

from __future__ import annotations

import sys

from nndacss.convert_pv.stage import convert_scene
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(convert_scene))
