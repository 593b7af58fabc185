"""Accepts connections in a thread of its own: what HTTP and the status socket have in common."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
"""After a connection could not be accepted: there may be no descriptor left."""

Take = Callable[[socket.socket, Any], None]
"""Takes a connection and its peer's address, in the thread that accepts: the next one waits meanwhile."""


class Listener:
    """Hands on each connection of a listening socket, from `start` to `close`."""

    def __init__(self, listening: socket.socket, take: Take, *, name: str) -> None:
        self._socket = listening
        self._take = take
        self._closed = threading.Event()
        # It never keeps the process from ending.
        self._thread = threading.Thread(target=self._accept, name=name, daemon=True)

    def start(self) -> None:
        """Begin to accept."""
        self._thread.start()

    def close(self) -> None:
        """Accept no more."""
        self._closed.set()
        # Closing alone would leave the thread that waits for a connection waiting.
        cut(self._socket)
        self._socket.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, peer = self._socket.accept()
            except OSError as error:
                if not self._closed.wait(PAUSE_SECONDS):
                    logger.debug("%s: no connection can be accepted: %s", self._thread.name, error)
                continue
            try:
                self._take(connection, peer)
            except OSError as error:
                logger.debug("%s: a request came to nothing: %s", self._thread.name, error)


def cut(connection: socket.socket) -> None:
    """End a connection whose thread may be waiting for it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        logger.debug("it has ended already: %s", os.strerror(error.errno or 0))


def read_until(
    ends: Callable[[bytearray], bool],
    connection: socket.socket,
    *,
    limit_bytes: int,
    within_seconds: float,
) -> bytes:
    """Read a request until it ends, or the connection does.

    Raises `OSError` when it takes too long, or is longer than the limit.
    """
    request, deadline = bytearray(), time.monotonic() + within_seconds
    while not ends(request):
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        piece = connection.recv(limit_bytes)
        if not piece:
            break
        request += piece
        if len(request) > limit_bytes:
            raise OSError("the request is too long")
    return bytes(request)
