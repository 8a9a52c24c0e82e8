"""`python -m nndacss.domains recipe.json`: the domains stage as a child process."""

from __future__ import annotations

import sys

from nndacss.domains.stage import make_domains
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(make_domains))
