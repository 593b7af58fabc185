"""Answers at the status socket beside the state, as soon as no other watcher is there."""

from __future__ import annotations

import logging
from pathlib import Path

from kube_log_watcher_core.agents import Claim, FolderLocks, Worker
from kube_log_watcher_core.errors import WatcherError
from kube_log_watcher_core.explain.socket import Answer, PathTooLong, StatusSocket

logger = logging.getLogger(__name__)


class StatusDoor:
    """A socket in one folder, opened and closed in a thread of its own: it never holds anybody up.

    Where another watcher has the folder, or it isn't there, it is tried again.
    """

    def __init__(self, folder: Path, locks: FolderLocks, answer: Answer) -> None:
        self._folder = folder
        self._answer = answer
        self._claim = Claim(locks, [folder])
        self._socket: StatusSocket | None = None
        # The state file tells of the wait for another watcher.
        self._worker = Worker[None](
            "status-socket",
            lambda _work, _recheck: False,
            ready=self._claim.take,
            prepare=self._open,
            close=self._close,
            title="the status socket",
        )

    def start(self) -> None:
        """Have a thread, which waits for `begin`."""
        self._worker.start()

    def begin(self) -> None:
        """Answer from now on."""
        self._worker.begin()

    def close(self, *, wait_seconds: float = 0.0) -> None:
        """Answer no more."""
        self._worker.stop(wait_seconds=wait_seconds)

    def _open(self) -> None:
        try:
            self._socket = StatusSocket(self._folder, self._answer)
            self._socket.start()
        except PathTooLong as error:
            logger.warning("nobody can ask for status: no socket in %s: %s", self._folder, error.strerror)
        except OSError as error:
            text = f"nobody can ask for status: no socket in {self._folder}: {error.strerror or error}"
            raise WatcherError(text) from error

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._claim.release()
