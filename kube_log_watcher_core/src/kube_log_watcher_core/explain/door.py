"""Answers at the status socket wherever the settings keep the state."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from kube_log_watcher_core.agents import Claim, FolderLocks
from kube_log_watcher_core.explain.socket import Answer, PathTooLong, StatusSocket

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""How often to try again while another watcher has the folder, or it isn't there."""


class StatusDoor:
    """At most one socket, in the folder that counts now. It never holds anybody up."""

    def __init__(self, locks: FolderLocks, answer: Answer) -> None:
        self._locks = locks
        self._answer = answer
        self._folder: Path | None = None
        self._opening: _Opening | None = None

    def move(self, folder: Path | None) -> None:
        """Answer in this folder from now on, and in no other; None: nowhere."""
        if folder == self._folder:
            return
        self.close()
        self._folder = folder
        if folder is not None:
            self._opening = _Opening(Claim(self._locks, [folder]), folder, self._answer)
            self._opening.begin()

    def close(self) -> None:
        """Answer nowhere."""
        if self._opening is not None:
            self._opening.end()
        self._opening = self._folder = None


class _Opening:
    """Opens the socket as soon as the folder is free of other watchers. The state file tells of the wait."""

    def __init__(self, claim: Claim, folder: Path, answer: Answer) -> None:
        self._claim = claim
        self._folder = folder
        self._answer = answer
        self._ended = threading.Event()
        self._mutex = threading.Lock()
        self._socket: StatusSocket | None = None
        self._trouble = ""

    def begin(self) -> None:
        if not self._try():
            threading.Thread(target=self._wait, name="status-socket-wait", daemon=True).start()

    def end(self) -> None:
        self._ended.set()
        with self._mutex:
            if self._socket is not None:
                self._socket.close()
            self._claim.release()

    def _wait(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            if self._try():
                return

    def _try(self) -> bool:
        with self._mutex:
            if self._ended.is_set() or not self._claim.take():
                return self._ended.is_set()
            try:
                self._socket = StatusSocket(self._folder, self._answer)
            except OSError as error:
                self._tell(error)
                return isinstance(error, PathTooLong)
            self._socket.start()
            return True

    def _tell(self, error: OSError) -> None:
        text = error.strerror or str(error)
        if text != self._trouble:
            logger.warning("nobody can ask for status: no socket in %s: %s", self._folder, text)
        self._trouble = text
