"""How long the logs are: a gone log's size tells later whether its shipper has read it all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from kube_log_watcher_core.models import LogTarget

POLL_SECONDS = 1.0
"""How often the logs of pods that are being deleted are looked at: their last lines are to come."""


class Sizes:
    """The sizes of followed logs in bytes, when they were seen last. No log is ever opened."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._going = False

    @property
    def seen(self) -> Mapping[str, int]:
        """Sizes by the container's key."""
        return self._seen

    def look(self, targets: Iterable[LogTarget], *, all_of_them: bool) -> None:
        """Look at the logs of pods that are going, of new targets, or of all."""
        keys, self._going = set(), False
        for target in targets:
            key, path = target.container.key, target.container.log_path
            keys.add(key)
            going = target.pod.deleted is not None
            self._going = self._going or going
            if path is not None and (going or all_of_them or key not in self._seen):
                self._note(key, str(path))
        for key in self._seen.keys() - keys:
            del self._seen[key]

    def _note(self, key: str, path: str) -> None:
        try:
            self._seen[key] = os.stat(path, follow_symlinks=False).st_size
        except OSError:
            # It is going this very moment: what was seen before counts.
            self._seen.setdefault(key, 0)

    def poll_seconds(self) -> float | None:
        """How soon to look again; None when the full passes are enough."""
        return POLL_SECONDS if self._going else None
