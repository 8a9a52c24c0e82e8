"""`python -m nndacss.acquire recipe.json`: the acquire stage as a child process."""

from __future__ import annotations

import sys

from nndacss.acquire.stage import acquire_scene
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(acquire_scene))
