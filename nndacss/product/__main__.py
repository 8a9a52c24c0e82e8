"""`python -m nndacss.product recipe.json`: the product stage as a child process."""

from __future__ import annotations

import sys

from nndacss.product.stage import make_product
from nndacss.stage import run_stage

if __name__ == "__main__":
    sys.exit(run_stage(make_product))
