"""`python -m nndacss.land_cover recipe.json`: the land_cover stage as a child process."""

from __future__ import annotations

import sys

from nndacss.models.runtime import prepare_cpu

prepare_cpu()

from nndacss.land_cover.stage import map_land_cover  # noqa: E402
from nndacss.stage import run_stage  # noqa: E402

if __name__ == "__main__":
    sys.exit(run_stage(map_land_cover))
