"""OpenVINO tells nobody that it was imported: in fresh processes, each with an empty home.

A bare `import openvino` leaves a client's number there and calls its maker, so none is made here.
"""

import os
import subprocess
import sys

QUIET = """
import sys
from nndacss.models.openvino_quiet import import_openvino
found = import_openvino()
assert found is import_openvino() and found.__name__ == "openvino"
assert not [name for name in sys.modules if name.startswith("openvino_telemetry")]
"""
USED = """
import sys, torch
from nndacss.models.separable_prepare import prepare
from nndacss.models.separable_unet import CloudNet
prepare(CloudNet(4, 2))(torch.zeros(1, 4, 16, 16))
assert not [name for name in sys.modules if name.startswith("openvino_telemetry")]
"""


def left_behind(code, home):
    """Files in the home folder of a process that ran `code`."""
    home.mkdir()
    # what would make it silent anyway is taken away
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "PYTHONPATH")}
    subprocess.run([sys.executable, "-c", code], check=True, env=kept | {"HOME": str(home)})
    return [path.name for path in home.rglob("*") if path.is_file()]


def test_no_client_is_registered(tmp_path):
    assert left_behind(QUIET, tmp_path / "quiet") == []
    assert left_behind(USED, tmp_path / "used") == []
