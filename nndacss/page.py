"""Pages for people: every HTML report here is a Jinja2 template beside the code that fills it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from nndacss.errors import NndacssError

S = TypeVar("S")
"""What a page shows."""


def template(package: str, name: str) -> Template:
    """The template `name` in the folder of `package`, e.g. `nndacss.product`, `report.html.j2`.

    Values are escaped, and a value that the template names and nobody gives is an error.
    """
    environment = Environment(
        loader=PackageLoader(package, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def show_store(
    opened: Callable[[Path], AbstractContextManager[S]],
    show: Callable[[S, Path], None],
    noun: str,
    argv: Sequence[str] | None,
) -> int:
    """The command line of a store's page, where `noun` is what the store holds, e.g. `sample`.

    Opens the store and writes its page by `show`; 1 and one line on standard error where that
    cannot be done.
    """
    description = f"A page that shows what a {noun} store holds."
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("store", type=Path, help=f"{noun}s.h5")
    parser.add_argument("page", type=Path, help="HTML file to write")
    arguments = parser.parse_args(argv)
    try:
        with opened(arguments.store) as store:
            show(store, arguments.page)
    except NndacssError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0
