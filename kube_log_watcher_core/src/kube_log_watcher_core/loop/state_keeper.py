"""Keeps the state file up to date, in a thread of its own: a slow disk holds up nobody."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from kube_log_watcher_core.models import Work
from kube_log_watcher_core.reconcile import Worker
from kube_log_watcher_core.state import StateFile

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
"""Least time between two writes: with 1,000 targets the file has more than a megabyte."""


class StateKeeper:
    """What agents were handed last, on disk if there is a folder for it."""

    def __init__(self, left: Work, worker: Worker[Work] | None) -> None:
        self.left = left
        """What an earlier process left."""
        self._worker = worker

    @classmethod
    def open(cls, folder: Path | None) -> StateKeeper:
        """Read what is there, and begin to keep it."""
        if folder is None:
            logger.info("WATCHER_STATE_DIR is not set: what is known is lost with a restart")
            return cls(Work(), None)
        file = StateFile(folder)
        try:
            left = file.load()
            file.tidy()
        except OSError as error:
            logger.warning("WATCHER_STATE_DIR %s can't be opened: %s", folder, error.strerror)
            left = Work()
        worker = Worker[Work]("state", _saving(file), pause_seconds=PAUSE_SECONDS, title="the state file")
        worker.start()
        return cls(left, worker)

    def submit(self, work: Work) -> None:
        """Keep this from now on."""
        if self._worker is not None:
            self._worker.submit(work)

    def stop(self, *, wait_seconds: float) -> None:
        """Stop keeping, once the latest is kept."""
        if self._worker is not None and not self._worker.stop(wait_seconds=wait_seconds, finish=True):
            logger.warning("the state file could not be brought up to date within %g s", wait_seconds)


def _saving(file: StateFile) -> Callable[[Work, bool], bool]:
    def save(work: Work, _recheck: bool) -> bool:  # noqa: FBT001 - the worker's call
        file.save(work)
        return True

    return save
