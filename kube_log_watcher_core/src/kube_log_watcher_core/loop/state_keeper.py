"""Keeps the state file up to date, in a thread of its own: a slow disk holds up nobody."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from kube_log_watcher_core.models import LogTarget
from kube_log_watcher_core.reconcile import Worker
from kube_log_watcher_core.state import StateFile

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
"""Least time between two writes: with 1,000 targets the file has more than a megabyte."""


class StateKeeper:
    """The last targets, on disk if there is a folder for them."""

    def __init__(self, targets: Mapping[str, LogTarget], worker: Worker | None) -> None:
        self.targets = targets
        """What an earlier process left."""
        self._worker = worker

    @classmethod
    def open(cls, folder: Path | None) -> StateKeeper:
        """Read what is there, and begin to keep it."""
        if folder is None:
            logger.info("WATCHER_STATE_DIR is not set: what is known is lost with a restart")
            return cls({}, None)
        file = StateFile(folder)
        try:
            targets = file.load()
        except OSError as error:
            logger.warning("WATCHER_STATE_DIR %s can't be opened: %s", folder, error.strerror)
            targets = {}
        worker = Worker("state file", lambda targets, _: file.save(targets), pause_seconds=PAUSE_SECONDS)
        worker.start()
        return cls(targets, worker)

    def submit(self, targets: Sequence[LogTarget]) -> None:
        """Keep these from now on."""
        if self._worker is not None:
            self._worker.submit(targets)

    def stop(self, *, wait_seconds: float) -> None:
        """Stop keeping."""
        if self._worker is not None:
            self._worker.stop(wait_seconds=wait_seconds)
