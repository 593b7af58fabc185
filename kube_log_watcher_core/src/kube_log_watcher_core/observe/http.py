"""A small HTTP server: one request a connection, few at a time, and nobody can hold it up."""

from __future__ import annotations

import io
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from wsgiref.simple_server import WSGIRequestHandler
from wsgiref.types import WSGIApplication

logger = logging.getLogger(__name__)

REQUEST_SECONDS = 5.0
"""For a whole request to arrive, and again for an answer to be taken."""
REQUEST_BYTES = 16 * 1024
"""The longest request, headers and all. Prometheus sends some 300 bytes."""
CONNECTIONS = 8
"""At one time. One more, and the oldest is cut: whoever holds connections open shuts nobody else out."""
PAUSE_SECONDS = 1.0
"""After a connection could not be accepted: there may be no descriptor left."""


class HttpServer:
    """Listens from the moment it is made, answers once it is started. Raises OSError if it can't listen."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        request_seconds: float = REQUEST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = request_seconds
        self._clock = clock
        self._listener = _listen(host, port)
        self._closed = threading.Event()
        self._open: dict[socket.socket, None] = {}
        self._mutex = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        """The port that it has; the kernel chose it if 0 was asked for."""
        self.base_environ = {"SERVER_NAME": host, "SERVER_PORT": str(self.port), "SCRIPT_NAME": ""}

    def start(self, app: WSGIApplication) -> None:
        """Begin to answer, in threads of its own that never keep the process from ending."""
        self._app = app
        threading.Thread(target=self._serve, name="http", daemon=True).start()

    def get_app(self) -> WSGIApplication:
        """Give the application, to a request's handler."""
        return self._app

    def close(self) -> None:
        """Listen no more."""
        self._closed.set()
        # Closing alone would leave the thread that waits for a connection waiting.
        _cut(self._listener)
        self._listener.close()

    def _serve(self) -> None:
        while not self._closed.is_set():
            try:
                connection, peer = self._listener.accept()
            except OSError as error:
                if not self._closed.is_set():
                    logger.debug("no connection can be accepted: %s", error)
                    self._closed.wait(PAUSE_SECONDS)
                continue
            self._make_room(connection)
            threading.Thread(
                target=self._answer, args=(connection, peer), name="http-request", daemon=True
            ).start()

    def _make_room(self, connection: socket.socket) -> None:
        with self._mutex:
            if len(self._open) >= CONNECTIONS:
                oldest = next(iter(self._open))
                del self._open[oldest]
                _cut(oldest)
            self._open[connection] = None

    def _answer(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        try:
            with connection:
                head = _read_head(connection, deadline=self._clock() + self._seconds, clock=self._clock)
                connection.settimeout(self._seconds)
                _Request(head, connection, peer, self)
        except OSError as error:
            logger.debug("a request came to nothing: %s", error)
        finally:
            with self._mutex:
                self._open.pop(connection, None)


class _Request(WSGIRequestHandler):
    """Answers one request that has arrived completely."""

    def __init__(
        self, head: bytes, connection: socket.socket, peer: tuple[str, int], server: HttpServer
    ) -> None:
        self._head = head
        super().__init__(connection, peer, server)  # type: ignore[arg-type]

    def setup(self) -> None:
        super().setup()
        self.rfile = io.BufferedReader(io.BytesIO(self._head))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a probe every few seconds is no news."""


def _listen(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # A restart must not wait for the connections of the last process to be forgotten.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # `[::]` stands for IPv4 too, whatever the node's default is.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        listener.listen(2 * CONNECTIONS)
    except OSError:
        listener.close()
        raise
    return listener


def _read_head(connection: socket.socket, *, deadline: float, clock: Callable[[], float]) -> bytes:
    """Read up to the empty line that ends a request's headers. Raises OSError when it does not come."""
    head = bytearray()
    while not head.endswith((b"\r\n\r\n", b"\n\n")):
        connection.settimeout(max(deadline - clock(), 0.001))
        piece = connection.recv(REQUEST_BYTES)
        head += piece
        if not piece or b"\r\n\r\n" in head:
            break
        if len(head) > REQUEST_BYTES:
            raise OSError("the request is too long")
    return bytes(head)


def _cut(connection: socket.socket) -> None:
    """End a connection whose thread may be waiting for it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        logger.debug("it has ended already: %s", os.strerror(error.errno or 0))
