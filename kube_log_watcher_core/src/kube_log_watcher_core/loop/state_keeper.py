"""Keeps the state file up to date, in a thread of its own: a slow disk holds up nobody."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from kube_log_watcher_core.agents import Worker
from kube_log_watcher_core.agents.folder_lock import Claim, FolderLocks
from kube_log_watcher_core.agents.locked_start import LockedStart
from kube_log_watcher_core.models import Work
from kube_log_watcher_core.state import StateFile

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
"""Least time between two writes: with 1,000 targets the file has more than a megabyte."""


class StateKeeper:
    """What agents were handed last, on disk if there is a folder for it."""

    def __init__(
        self, left: Work, worker: Worker[Work] | None = None, start: LockedStart | None = None
    ) -> None:
        self.left = left
        """What an earlier process left."""
        self._worker = worker
        self._start = start

    @classmethod
    def open(cls, folder: Path | None, locks: FolderLocks) -> StateKeeper:
        """Read what is there, and begin to keep it, as soon as no other watcher does."""
        if folder is None:
            logger.info("WATCHER_STATE_DIR is not set: what is known is lost with a restart")
            return cls(Work())
        file = StateFile(folder)
        try:
            left = file.load()
        except OSError as error:
            logger.warning("WATCHER_STATE_DIR %s can't be opened: %s", folder, error.strerror)
            left = Work()
        worker = Worker[Work]("state", _saving(file), pause_seconds=PAUSE_SECONDS, title="the state file")
        start = LockedStart("the state file", Claim(locks, [folder]), worker.start)
        start.begin()
        return cls(left, worker, start)

    def submit(self, work: Work) -> None:
        """Keep this from now on."""
        if self._worker is not None:
            self._worker.submit(work)

    def stop(self, *, wait_seconds: float) -> None:
        """Stop keeping, once the latest is kept."""
        if self._worker is None or self._start is None or self._start.cancel():
            return
        if self._worker.stop(wait_seconds=wait_seconds, finish=True):
            self._start.claim.release()
        else:
            logger.warning("the state file could not be brought up to date within %g s", wait_seconds)


def _saving(file: StateFile) -> Callable[[Work, bool], bool]:
    tidy = False

    def save(work: Work, _recheck: bool) -> bool:  # noqa: FBT001 - the worker's call
        nonlocal tidy
        file.save(work)
        if not tidy:
            file.tidy()
            tidy = True
        return True

    return save
