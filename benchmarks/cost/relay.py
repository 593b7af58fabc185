"""A relay in front of the API server, which counts the bytes on the wire."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

PIECE_BYTES = 64 * 1024


class Relay:
    """Hands all bytes on, both ways, between its clients and one server. Runs inside a ``with``."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.sent = 0
        """Bytes from the clients."""
        self.received = 0
        """Bytes from the server."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="relay", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._listener, *self._open):
            _cut(each)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            self._open += [client, server]
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        while piece := _take(client):
            self.sent += len(piece)
            _give(server, piece)
        _cut(server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        while piece := _take(server):
            self.received += len(piece)
            _give(client, piece)
        _cut(client)


def _take(source: socket.socket) -> bytes:
    try:
        return source.recv(PIECE_BYTES)
    except OSError:
        return b""


def _give(sink: socket.socket, piece: bytes) -> None:
    try:
        sink.sendall(piece)
    except OSError:
        _cut(sink)


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended already
