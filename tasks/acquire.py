"""AcquireScene: a foreign product fetched, checked whole and made readable by windows."""

from __future__ import annotations

import json
from pathlib import Path

from tasks._base import FileTarget, StageTask


class AcquireScene(StageTask):
    """Fetch and unpack where needed, and read every block of a scene once."""

    stage = "acquire"

    @property
    def _in_place(self) -> bool:
        """Whether a scene of an archive may be read where it is."""
        return bool(json.loads(self.order.location.get("scene_fetch", "{}")).get("remote"))

    def complete(self) -> bool:
        """Done, and what it found is still where it was; read in place only where that is asked."""
        target: FileTarget = self.output()
        if not target.exists():
            return False
        places = json.loads(target.path.read_text())["summary"]
        if places.get("in_place") and not self._in_place:
            return False
        return all(Path(places[name]).exists() for name in ("scene", "l1") if places[name])
