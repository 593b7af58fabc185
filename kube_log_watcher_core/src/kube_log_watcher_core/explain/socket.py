"""A Unix socket beside the state file: one line asks, one JSON document answers, nothing is changed by it."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kube_log_watcher_core.agents import Claim, FolderLocks, Worker
from kube_log_watcher_core.errors import WatcherError
from kube_log_watcher_core.observe.listener import Listener, read_until

logger = logging.getLogger(__name__)

NAME = "watcher.sock"
LONGEST_PATH = 107
"""Bytes: the kernel's limit for a socket's path, without the zero at its end."""
REQUEST_BYTES = 4096
REQUEST_SECONDS = 2.0
"""For a request to arrive, and again for an answer to be taken: whoever is slower is cut off."""
ANSWER_SECONDS = 10.0
"""How long a client waits: each agent may take a second to answer."""
ANSWER_BYTES = 64 * 1024 * 1024
WAITING = 8
"""Clients that may wait for their turn."""

Answer = Callable[[str], Mapping[str, Any]]


class PathTooLong(OSError):
    """A socket can't have this path."""

    def __init__(self, path: Path) -> None:
        length = len(os.fsencode(path))
        text = f"{path} has {length} bytes, a socket's path at most {LONGEST_PATH}: shorten WATCHER_STATE_DIR"
        super().__init__(errno.ENAMETOOLONG, text)


class StatusSocket:
    """Listens from the moment it is made; what a killed watcher left there is replaced.

    Nobody else may be at work on the folder: see to that first.
    Raises `OSError` when it can't listen there, `PathTooLong` among them.
    """

    def __init__(self, folder: Path, answer: Answer) -> None:
        self.path = folder / NAME
        self._answer = answer
        # One after the other: agents are taken from their work for each answer.
        self._listener = Listener(_listen(self.path), self._serve, name="status-socket")
        self._identity = _identity(self.path)

    def start(self) -> None:
        """Begin to answer, in a thread that never keeps the process from ending."""
        self._listener.start()

    def close(self) -> None:
        """Listen no more, and remove the socket if it is still ours."""
        self._listener.close()
        if self._identity is not None and _identity(self.path) == self._identity:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def _serve(self, connection: socket.socket, _peer: object) -> None:
        with connection:
            line, end, _ = read_until(
                lambda request: b"\n" in request,
                connection,
                limit_bytes=REQUEST_BYTES,
                within_seconds=REQUEST_SECONDS,
            ).partition(b"\n")
            if not end:
                raise OSError("the request is not complete")
            try:
                document = self._answer(line.decode("utf-8", "replace"))
            except ValueError as error:
                document = {"kind": "error", "error": str(error)}
            connection.settimeout(REQUEST_SECONDS)
            connection.sendall(json.dumps(document).encode() + b"\n")


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


def ask(folder: Path, request: str, *, seconds: float = ANSWER_SECONDS) -> dict[str, Any] | None:
    """Ask the watcher that has its state in a folder; None when there is none.

    Raises `OSError` when there is one, and it doesn't answer, and `ValueError` when it answers that it
    doesn't understand.
    """
    path = _checked(folder / NAME)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            return None
        connection.sendall(request.encode() + b"\n")
        content = bytearray()
        while piece := connection.recv(65536):
            content += piece
            if len(content) > ANSWER_BYTES:
                raise OSError("the answer is too long")
    if not content:
        raise OSError("the watcher closed the connection without an answer")
    document = json.loads(bytes(content))
    if not isinstance(document, dict) or document.get("kind") == "error":
        raise ValueError(document.get("error") if isinstance(document, dict) else "no document")
    return document


def _listen(path: Path) -> socket.socket:
    _checked(path)
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Before it is bound, so that there is no moment in which others may connect.
        os.fchmod(listener.fileno(), 0o600)
        listener.bind(str(path))
        listener.listen(WAITING)
    except OSError:
        listener.close()
        raise
    return listener


def _remove_stale(path: Path) -> None:
    """Remove a socket that nobody answers at. Raises OSError when somebody does, or it is no socket."""
    if not path.is_socket():
        return  # where anything else is there, binding tells
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except FileNotFoundError:
            return
    raise OSError(errno.EADDRINUSE, "another watcher listens there")


def _checked(path: Path) -> Path:
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise PathTooLong(path)
    return path


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
