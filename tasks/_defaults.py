"""Luigi's own settings, where the user has not made them, and errors on one line."""

from __future__ import annotations

import logging
import os
import re
import tempfile
import warnings

from luigi.configuration import get_config
from luigi.parameter import UnconsumedParameterWarning
from luigi.rpc import RPCError

from nndacss.errors import NndacssError, complain

#: Without these luigi exits with 0 when a task failed.
_DEFAULTS = {
    "retcode": {
        "already_running": "10",
        "missing_data": "20",
        "not_run": "25",
        "task_failed": "30",
        "scheduling_error": "35",
        "unhandled_exception": "40",
    },
    # one folder a user: luigi's own default is shared, and the second user cannot write to it
    "core": {
        "lock_pid_dir": os.path.join(tempfile.gettempdir(), f"nndacss-luigi-{os.getuid()}"),
        "log_level": "INFO",
    },
}
_OUR_ERROR = re.compile(r"^nndacss\.errors\.\w+: (?P<message>.*)$", re.MULTILINE)


def set_defaults() -> None:
    """Fill in what `luigi.cfg` leaves open; have our own errors logged without traceback."""
    config = get_config()  # type: ignore[no-untyped-call]
    for section, options in _DEFAULTS.items():
        for option, value in options.items():
            spellings = (option, option.replace("_", "-"))
            if not any(config.has_option(section, spelling) for spelling in spellings):
                config.set(section, option, value)
    # luigi reads these itself, and then warns that nobody has
    warnings.filterwarnings("ignore", ".*rpc_retry_", UnconsumedParameterWarning)
    logger = logging.getLogger("luigi-interface")
    if not any(isinstance(filter_, OneLine) for filter_ in logger.filters):
        logger.addFilter(OneLine())


class OneLine(logging.Filter):
    """An error that we raise on purpose says all in one line; its traceback is noise.

    So it is where the central scheduler cannot be reached.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite records that carry such an error; keep every record."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, NndacssError):
            self._replace(record, str(error))
        elif isinstance(error, RPCError):
            remedy = "start it (luigid), correct --scheduler-host, or use --local-scheduler"
            found = " ".join(str(error).split())
            self._replace(record, complain("luigid", found, "a central scheduler", remedy))
        elif "Traceback (most recent call last)" in (message := record.getMessage()):
            ours = _OUR_ERROR.findall(message)
            if ours:
                self._replace(record, ours[-1])
        return True

    @staticmethod
    def _replace(record: logging.LogRecord, text: str) -> None:
        record.msg, record.args = f"error: {text}", ()
        record.exc_info, record.exc_text = None, None
        record.levelno, record.levelname = logging.ERROR, "ERROR"
