"""`python -m nndacss.landcovernet recipe.json`: LandCoverNet's acquisition as a child process."""

from __future__ import annotations

import sys

from nndacss.landcovernet.stage import acquire_archive
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(acquire_archive))
