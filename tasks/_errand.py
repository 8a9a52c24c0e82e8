"""Tasks that do something now: they have no result that could be there already."""

from __future__ import annotations

import logging
from pathlib import Path

import luigi

from nndacss.operations.batch import new_id
from tasks._base import machine
from tasks._log import NoChatter, attach

_RUN = new_id()


class Errand(luigi.Task):
    """Always to be done, once a run; luigi's own doings are not told on the terminal."""

    run_id: str = luigi.Parameter(
        default=_RUN,
        description="name of this run; the default is new in every process, so that the same "
        "command on several hosts is several tasks for a central scheduler",
    )
    #: A central scheduler gives no errand out again: the record would tell of the last try alone.
    retry_count = 1
    _over = False

    @property
    def work(self) -> Path:
        """Work root."""
        return Path(machine().work)

    def complete(self) -> bool:
        """Whether it was done in this process."""
        spoken = logging.getLogger("luigi-interface")
        if not any(isinstance(filter_, NoChatter) for filter_ in spoken.filters):
            spoken.addFilter(NoChatter())
        attach(machine().log_json)
        return self._over

    def run(self) -> None:
        """Do it."""
        self.carry_out()
        self._over = True

    def carry_out(self) -> None:
        """What there is to do."""
        raise NotImplementedError
