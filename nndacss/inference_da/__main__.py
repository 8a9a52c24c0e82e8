"""`python -m nndacss.inference_da recipe.json`: the inference_da stage as a child process."""

from __future__ import annotations

import sys

from nndacss.models.runtime import prepare_cpu

if __name__ == "__main__":
    prepare_cpu()

    from nndacss.inference_da.stage import adapt_product
    from nndacss.stage import run_stage

    sys.exit(run_stage(adapt_product))
