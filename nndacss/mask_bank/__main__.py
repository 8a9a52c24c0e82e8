"""`python -m nndacss.mask_bank recipe.json`: the mask bank's stage as a child process."""

from __future__ import annotations

import sys

from nndacss.mask_bank.stage import make_bank
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(make_bank))
