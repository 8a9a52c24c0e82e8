"""OpenVINO without its report to Google Analytics.

`import openvino` sends an event there and leaves a client's number in the user's home folder, by a
package of its own that it also does without. A batch that runs on others' data tells nobody.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_REPORTER = "openvino_telemetry"


def import_openvino() -> ModuleType:
    """The package `openvino`; its reporter is kept out of this process until it is loaded.

    Where somebody else has imported it before, what was to be sent has been sent.
    """
    if _REPORTER in sys.modules:
        return importlib.import_module("openvino")
    sys.modules[_REPORTER] = None  # type: ignore[assignment]  # Python's way to refuse an import
    try:
        return importlib.import_module("openvino")
    finally:
        del sys.modules[_REPORTER]
