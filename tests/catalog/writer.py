"""`python -m tests.catalog.writer ROOT NAME,NAME ...`: a process for each list of names, all at a
time, which makes and catalogues product by product."""

import os
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

from nndacss.catalog.collection import About
from nndacss.catalog.update import update
from nndacss.operations.roots import BucketRoot, open_root
from tests.catalog.products import make


def write(place, names):
    root = open_root(place)
    for name in names:
        if isinstance(root, BucketRoot):
            with TemporaryDirectory() as folder:
                root.deliver(make(Path(folder), name), lambda *_: None)
        else:
            make(Path(root.address), name)
        update(root, About())


def main(place, *lists):
    """Forked, so that what they import is loaded once."""
    children = []
    for names in lists:
        child = os.fork()
        if not child:
            code = 1
            try:
                write(place, names.split(","))
                code = 0
            finally:
                if code:
                    traceback.print_exc()
                os._exit(code)
        children.append(child)
    return sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0 for child in children)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
