"""Connections and answers of the fake API server."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kube_log_watcher_testing.fake_api.objects import JsonObject, status_object

GZIP_FROM_BYTES = 128 * 1024
"""Real servers compress longer bodies only, and watches never."""
CHUNK_BYTES = 4096

Headers = Mapping[str, str]


class Server(ThreadingHTTPServer):
    """A thread for each connection; all of them are closed with the server."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self, port: int, handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None
    ) -> None:
        self._context = context
        self._connections: set[socket.socket] = set()
        self.accepted = 0
        """How many connections there were."""
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; its TLS handshake happens in its own thread."""
        connection, address = super().get_request()
        if self._context:
            connection = self._context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._lock:
            self._connections.add(connection)
            self.accepted += 1
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Close all connections, whatever they are at."""
        with self._lock:
            for connection in self._connections:
                close_hard(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: clients that go away in the middle are what these tests are about."""


def close_hard(connection: socket.socket) -> None:
    """End a connection at once, below TLS."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class Responder(BaseHTTPRequestHandler):
    """Writes answers in the ways in which API servers write them."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the requests are kept."""

    def send_head(self, status: int, headers: Headers) -> None:
        """Send status and headers."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send_status(
        self, code: int, reason: str, message: str, *, headers: Headers | None = None, details: Any = None
    ) -> None:
        """Refuse, with a ``Status`` object."""
        status = status_object(code, reason, message)
        self.send_json(status | ({"details": details} if details else {}), status=code, headers=headers)

    def send_json(self, value: JsonObject, *, status: int = 200, headers: Headers | None = None) -> None:
        """Send an object."""
        self.send_body(json_line(value), status=status, headers=headers)

    def send_body(
        self,
        body: bytes,
        *,
        kind: str = "application/json",
        status: int = 200,
        headers: Headers | None = None,
    ) -> None:
        """Send a body: compressed when it is long and the client can, in chunks when it is not short."""
        every = {"Content-Type": kind, **(headers or {})}
        if len(body) >= GZIP_FROM_BYTES and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=1)
            every["Content-Encoding"] = "gzip"
        if len(body) <= CHUNK_BYTES:
            self.send_head(status, {**every, "Content-Length": str(len(body))})
            self.wfile.write(body)
        else:
            self.send_head(status, {**every, "Transfer-Encoding": "chunked"})
            self.send_chunks(body[at : at + CHUNK_BYTES] for at in range(0, len(body), CHUNK_BYTES))

    def send_half(self, body: bytes) -> None:
        """Promise a body, send the half of it, and break off."""
        self.send_head(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
        self.wfile.write(body[: len(body) // 2])
        self.break_off()

    def send_chunks(self, pieces: Iterable[bytes]) -> None:
        """Send a body in chunks, and its end."""
        for piece in pieces:
            self.send_chunk(piece)
        self.wfile.write(b"0\r\n\r\n")

    def send_chunk(self, piece: bytes) -> None:
        """Send one chunk, in one write."""
        if piece:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def break_off(self) -> None:
        """Close the connection as a server that dies does."""
        self.close_connection = True
        close_hard(self.connection)


def json_line(value: JsonObject) -> bytes:
    """Write an object as API servers do for programs: on one line, that ends."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
