"""What runs inside the scheduler's process must not load numpy or any raster library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.readers.recipes import Recipe, pack

HEAVY = ("numpy", "rasterio", "odc", "pyproj", "affine", "osgeo")
PROGRAM = """
import sys
import nndacss.readers, nndacss.readers.landsat
from nndacss.readers import find_l1, identify, unpack
for path in sys.argv[2:]:
    print(identify(path).digest)
    find_l1(path)
unpack(sys.argv[-1], sys.argv[1])
print([name for name in {heavy} if name in sys.modules])
"""


def test_identify_loads_no_raster_library(tmp_path: Path) -> None:
    folder = Recipe(kind="L2SP").write(tmp_path)
    archive = pack(folder, tmp_path / "a.tar.gz")
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(heavy=HEAVY), tmp_path / "out", folder, archive],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    first, second, heavy = run.stdout.splitlines()
    assert heavy == "[]"
    assert first == second
    assert len(first) == 64
    assert (tmp_path / "out").is_dir()
