"""`python -m nndacss.harmonize recipe.json`: the harmonize stage as a child process."""

from __future__ import annotations

import sys

from nndacss.models.runtime import prepare_cpu

prepare_cpu()

from nndacss.harmonize.stage import harmonize_scene  # noqa: E402
from nndacss.stage import run_stage  # noqa: E402

if __name__ == "__main__":
    sys.exit(run_stage(harmonize_scene))
