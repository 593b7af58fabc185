"""The connection in use, for those who must be able to cut it."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import threading
from collections.abc import Callable
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class Wire:
    """The one connection that a session uses at a time, and the deadline of the answer on it.

    A thread that waits for the API can only be freed by shutting its socket down: closing the response
    would wait for the reader, and before the headers are there is no response yet that could be closed.
    The deadline stands at each read of the socket: the timeouts of HTTP libraries begin anew with each byte,
    and a byte a second can make a head, or the length of a chunk, that lasts for ever.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._verb: str | None = None
        self._socket: socket.socket | None = None
        self._is_cut = False
        self._read_seconds = 0.0
        self._deadline = 0.0

    def begin(self, verb: str, *, read_seconds: float, whole_seconds: float) -> None:
        """Note that a request begins, how long one read may take, and how long all of them."""
        self._read_seconds, self._deadline = read_seconds, self._clock() + whole_seconds
        with self._lock:
            self._verb, self._socket, self._is_cut = verb, None, False

    def allow(self, seconds: float) -> None:
        """Let what comes next take so long, whatever time there was before."""
        self._deadline = self._clock() + seconds

    def hurry(self, seconds: float) -> None:
        """Let what comes next take no longer than this."""
        self._deadline = min(self._deadline, self._clock() + seconds)

    @property
    def overdue(self) -> bool:
        """Whether the deadline is over."""
        return self._clock() >= self._deadline

    def seconds_to_read(self) -> float:
        """Return how long the next read may take. Raises `TimeoutError` when there is no time left."""
        left = self._deadline - self._clock()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        return min(self._read_seconds, left)

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


class _TimedReads(io.RawIOBase):
    """A socket's bytes, each read within the wire's time."""

    def __init__(self, connected: socket.socket, wire: Wire) -> None:
        self._socket = connected
        self._file = connected.makefile("rb", buffering=0)
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(self._wire.seconds_to_read())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _TimedSocket:
    """What `http.client` asks of a socket to read an answer from it."""

    def __init__(self, connected: socket.socket, wire: Wire) -> None:
        self._socket = connected
        self._wire = wire

    def makefile(self, *_: Any) -> io.BufferedReader:
        return io.BufferedReader(_TimedReads(self._socket, self._wire))


class WireAdapter(HTTPAdapter):
    """Sends requests over connections that a wire knows of."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make pools of connections that tell the wire when they are used."""
        super().init_poolmanager(*args, **kwargs)
        wire = self._wire

        class Response(http.client.HTTPResponse):
            def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
                super().__init__(_TimedSocket(sock, wire), *args, **kwargs)  # type: ignore[arg-type]

        class Plain(HTTPConnection):
            response_class = Response

            def getresponse(self) -> Any:
                wire.hold(self.sock)
                return super().getresponse()

        class Secure(HTTPSConnection):
            response_class = Response

            def getresponse(self) -> Any:
                wire.hold(self.sock)
                return super().getresponse()

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
