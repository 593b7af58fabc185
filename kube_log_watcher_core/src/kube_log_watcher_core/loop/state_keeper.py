"""Keeps the state file up to date, in a thread of its own: a slow disk holds up nobody."""

from __future__ import annotations

import logging
from pathlib import Path

from kube_log_watcher_core.agents import Claim, FolderLocks, Turn, Worker
from kube_log_watcher_core.models import Work
from kube_log_watcher_core.state import StateFile

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
"""Least time between two writes: with 1,000 targets the file has more than a megabyte."""


class StateKeeper:
    """What agents were handed last, on disk, as soon as no other watcher keeps its own there."""

    def __init__(self, folder: Path, locks: FolderLocks) -> None:
        self._folder = folder
        self._file = StateFile(folder)
        self._tidy = False
        self._claim = Claim(locks, [folder])
        self._worker = Worker[Work](
            "state",
            self._save,
            ready=Turn("the state file", self._claim),
            close=self._claim.release,
            pause_seconds=PAUSE_SECONDS,
            title="the state file",
        )

    def load(self) -> Work:
        """Read what an earlier process left; nothing where that can't be read."""
        try:
            return self._file.load()
        except OSError as error:
            logger.warning("WATCHER_STATE_DIR %s can't be opened: %s", self._folder, error.strerror)
            return Work()

    def start(self) -> None:
        """Have a thread, which waits for `begin`."""
        self._worker.start()

    def begin(self) -> None:
        """Keep what is submitted from now on."""
        self._worker.begin()

    def submit(self, work: Work) -> None:
        """Keep this from now on."""
        self._worker.submit(work)

    def stop(self, *, wait_seconds: float = 0.0) -> None:
        """Stop keeping, once the latest is kept; wait for that so long."""
        kept = self._worker.stop(wait_seconds=wait_seconds, finish=True)
        if not kept and wait_seconds > 0:
            logger.warning("the state file could not be brought up to date within %g s", wait_seconds)

    def _save(self, work: Work, _recheck: bool) -> bool:  # noqa: FBT001 - the worker's call
        self._file.save(work)
        if not self._tidy:
            self._file.tidy()
            self._tidy = True
        return True
