"""The connection in use, for those who must be able to cut it."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class Wire:
    """The one connection that a session uses at a time.

    A thread that waits for the API can only be freed by shutting its socket down: closing the response
    would wait for the reader, and before the headers are there is no response yet that could be closed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._verb: str | None = None
        self._socket: socket.socket | None = None
        self._is_cut = False

    def begin(self, verb: str) -> None:
        """Note that a request begins."""
        with self._lock:
            self._verb, self._socket, self._is_cut = verb, None, False

    def hold(self, connected: socket.socket | None) -> None:
        """Note the socket on which the answer will come."""
        with self._lock:
            self._socket = connected
            if self._is_cut:
                self._shut_down()

    def end(self) -> None:
        """Note that the answer is at its end: the connection may serve others."""
        with self._lock:
            self._verb = self._socket = None

    def cut(self, verb: str | None = None) -> None:
        """End the request that is under way, if it is one of this verb; without one, any."""
        with self._lock:
            if self._verb is not None and verb in (None, self._verb):
                self._is_cut = True
                self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the other side was faster
                # Below TLS, whose own way to say goodbye is not made for two threads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class WireAdapter(HTTPAdapter):
    """Sends requests over connections that a wire knows of."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make pools of connections that tell the wire when they are used."""
        super().init_poolmanager(*args, **kwargs)
        wire = self._wire

        class Plain(HTTPConnection):
            def getresponse(self) -> Any:
                wire.hold(self.sock)
                return super().getresponse()

        class Secure(HTTPSConnection):
            def getresponse(self) -> Any:
                wire.hold(self.sock)
                return super().getresponse()

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
