"""A small HTTP server: one request a connection, few at a time, and nobody can hold it up."""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler
from wsgiref.types import WSGIApplication

from kube_log_watcher_core.observe.listener import Listener, cut, read_until

logger = logging.getLogger(__name__)

REQUEST_SECONDS = 5.0
"""For a whole request to arrive, and again for an answer to be taken."""
REQUEST_BYTES = 16 * 1024
"""The longest request, headers and all. Prometheus sends some 300 bytes."""
CONNECTIONS = 8
"""At one time. One more, and the oldest is cut: whoever holds connections open shuts nobody else out."""


class HttpServer:
    """Listens from the moment it is made, answers once it is started. Raises OSError if it can't listen.

    It may have the port of the one ``beside`` it, which is about to be closed.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        beside: HttpServer | None = None,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        self._seconds = request_seconds
        listening = _listen(host, port, beside=None if beside is None else beside.listening)
        self.port: int = listening.getsockname()[1]
        """The port that it has; the kernel chose it if 0 was asked for."""
        self.base_environ = {"SERVER_NAME": host, "SERVER_PORT": str(self.port), "SCRIPT_NAME": ""}
        self.listening: socket.socket = listening
        self._listener = Listener(listening, self._take, name="http")
        self._open: dict[socket.socket, None] = {}
        self._mutex = threading.Lock()

    def start(self, app: WSGIApplication) -> None:
        """Begin to answer, in threads of its own that never keep the process from ending."""
        self._app = app
        self._listener.start()

    def get_app(self) -> WSGIApplication:
        """Return the application, to a request's handler."""
        return self._app

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def _take(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        with self._mutex:
            if len(self._open) >= CONNECTIONS:
                oldest = next(iter(self._open))
                del self._open[oldest]
                cut(oldest)
            self._open[connection] = None
        threading.Thread(
            target=self._answer, args=(connection, peer), name="http-request", daemon=True
        ).start()

    def _answer(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        try:
            with connection:
                head = read_until(
                    # The empty line has come that ends a request's headers.
                    lambda head: head.endswith(b"\n\n") or b"\r\n\r\n" in head,
                    connection,
                    limit_bytes=REQUEST_BYTES,
                    within_seconds=self._seconds,
                )
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


@contextlib.contextmanager
def _sharing(listener: socket.socket, beside: socket.socket | None) -> Iterator[None]:
    """Let a listener have the port of one that is about to go, as when one address becomes all addresses."""
    sockets = [] if beside is None else [listener, beside]
    for each in sockets:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        yield
    finally:
        for each in sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)


def _listen(host: str, port: int, *, beside: socket.socket | None) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # A restart must not wait for the connections of the last process to be forgotten.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # `[::]` stands for IPv4 too, whatever the node's default is.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        with _sharing(listener, beside):
            listener.bind(address)
            listener.listen(2 * CONNECTIONS)
    except OSError:
        listener.close()
        raise
    return listener
