"""`python -m nndacss.experiment.so_far RECIPE WORK RUN`: a report of what is done by now.

Written into the experiment's work folder each time a run is scored, so that one that fails leaves
the others' results to be read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from nndacss.errors import NndacssError
from nndacss.experiment.results import collect
from nndacss.experiment.stage import write_report
from nndacss.identity import Order, drafted, load_order
from nndacss.stage import stage_folder


def main(arguments: Sequence[str]) -> int:
    """Write the report, then a note that the run was in it; 0, or 1 with one line on stderr."""
    recipe, work, run = Path(arguments[0]), Path(arguments[1]), arguments[2]
    try:
        order = load_order(recipe)
        folder = stage_folder(work, order)
        done: set[str] = set()
        while done != (now := _done(work, order)):  # another worker may be doing the same
            done = now
            write_report(work, order, folder)
        with drafted(folder / "told" / run[:8]) as draft:
            draft.write_text("")
    except (NndacssError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _done(work: Path, order: Order) -> set[str]:
    return {result.key for result in collect(work, order)[0]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
