"""An HTTP server that sends the bytes that it was told to, whatever they are."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class RawServer:
    """Answers each connection with the pieces that are set, and closes it."""

    def __init__(self) -> None:
        self.pieces: Sequence[bytes] = ()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, name="raw-server", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Listen no more."""
        # Closing alone would leave the thread in its accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(30)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(5.0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asked = b""
        while b"\r\n\r\n" not in asked:
            piece = connection.recv(65536)
            if not piece:
                return
            asked += piece
        for piece in self.pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def raw_server() -> Iterator[RawServer]:
    """Run a server."""
    server = RawServer()
    try:
        yield server
    finally:
        server.close()


def chunked(pieces: Sequence[bytes], *, end: bool = True) -> list[bytes]:
    """Give an answer in chunks, with its head."""
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece]
    return [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *chunks, *([b"0\r\n\r\n"] if end else [])]
