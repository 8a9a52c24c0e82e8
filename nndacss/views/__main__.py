"""`python -m nndacss.views recipe.json`: the views stage as a child process."""

from __future__ import annotations

import sys

from nndacss.stage import run_stage
from nndacss.views.stage import make_views

if __name__ == "__main__":
    sys.exit(run_stage(make_views))
