"""`python -m nndacss.inpaint recipe.json`: inpainted samples as a child process."""

from __future__ import annotations

import sys

from nndacss.inpaint.stage import inpaint_samples
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(inpaint_samples))
