"""`python -m nndacss.clean recipe.json`: the clean stage as a child process."""

from __future__ import annotations

import sys

from nndacss.clean.stage import clean_archive
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(clean_archive))
