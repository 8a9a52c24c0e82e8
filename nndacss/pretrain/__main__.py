"""`python -m nndacss.pretrain recipe.json`: the pretrain stage as a child process."""

from __future__ import annotations

import sys

from nndacss.models.runtime import prepare_cpu

prepare_cpu()

from nndacss.pretrain.stage import pretrain_encoder  # noqa: E402
from nndacss.stage import run_stage  # noqa: E402

if __name__ == "__main__":
    sys.exit(run_stage(pretrain_encoder))
