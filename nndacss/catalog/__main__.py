"""`python -m nndacss.catalog ROOT`: make or update the catalog of a product root.

Prints what it did as one JSON line; a child process, since tables need Arrow.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from nndacss.catalog.collection import About
from nndacss.catalog.update import update
from nndacss.errors import NndacssError
from nndacss.operations.roots import open_root


def main() -> int:
    """Run the command; exit code 1 and one line where it cannot be done."""
    parser = argparse.ArgumentParser(description="Update the catalog of a product root.")
    parser.add_argument("root", help="product root: a folder, or s3://bucket/prefix")
    parser.add_argument("--base", default="", help="what links and assets in the table begin with")
    for name, value in asdict(About()).items():
        parser.add_argument(f"--{name}", default=value)
    asked = vars(parser.parse_args())
    root, base = asked.pop("root"), asked.pop("base")
    try:
        made = update(open_root(root), About(**asked), base)
    except NndacssError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    told = {key: value for key, value in asdict(made).items() if key not in ("seen", "files")}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
