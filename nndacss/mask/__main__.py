"""`python -m nndacss.mask recipe.json`: the mask stage as a child process."""

from __future__ import annotations

import sys

from nndacss.mask.stage import mask_scene
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(mask_scene))
