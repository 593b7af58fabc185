"""What takes the place of the shippers' servers: it takes lines, or refuses them for a while."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import socketserver
import sys
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from benchmarks.churn.lines import Line

TakeLines = Callable[[list[Line]], None]
T = TypeVar("T")
POLL_SECONDS = 0.02
PIPE_BYTES = 512 * 1024
"""What a pipe holds that is drained: some shippers wait for a second where it is full for a moment."""
REFUSING_PIPE_BYTES = 4096
"""What it holds while it is not: one page, the least, so that a refusal is felt at once."""


class Intake(Protocol):
    """What a shipper's lines arrive at, as long as the ``with`` block lasts."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def refuse(self) -> None:
        """Take nothing from now on."""
        ...

    def accept(self) -> None:
        """Take everything again."""
        ...


class PipeIntake:
    """A named pipe, for shippers that write lines into a file. Refusing, it is not drained.

    Parameters
    ----------
    path
        where it is to be.
    read
        makes a line of what the shipper wrote; None for what is no line of a container.
    """

    def __init__(self, path: Path, *, read: Callable[[str], Line | None], take_lines: TakeLines) -> None:
        self._path = path
        self._read = read
        self._take_lines = take_lines
        self._accepts = threading.Event()
        self._accepts.set()
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._drain, daemon=True)
        os.mkfifo(path)

    def __enter__(self) -> Self:
        # Open for writing as well: there is a reader before there is a writer, and no end when one goes.
        self._fd = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._hold(PIPE_BYTES)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._accepts.set()
        self._reader.join()
        os.close(self._fd)

    def refuse(self) -> None:
        """Leave what is written in the pipe, which is full at once."""
        self._accepts.clear()
        with contextlib.suppress(OSError):  # it holds more than that already
            self._hold(REFUSING_PIPE_BYTES)

    def accept(self) -> None:
        """Drain it again."""
        self._hold(PIPE_BYTES)
        self._accepts.set()

    def _hold(self, size: int) -> None:
        fcntl.fcntl(self._fd, fcntl.F_SETPIPE_SZ, size)

    def _drain(self) -> None:
        rest = b""
        while not self._over.is_set():
            self._accepts.wait()
            readable, _, _ = select.select([self._fd], [], [], POLL_SECONDS)
            if not readable:
                continue
            content = os.read(self._fd, PIPE_BYTES)
            *lines, rest = (rest + content).split(b"\n")
            self._take_lines(_lines(self._read, (line.decode(errors="replace") for line in lines)))


class ConfirmingIntake:
    """A Unix socket that answers each line with ``OK``. Refusing, it takes none, and answers ``refused``.

    It is for shippers that wait for an answer of a program of theirs: ``confirmer.py`` is that program.

    Parameters
    ----------
    path
        where the socket is to be.
    read
        makes a line of what the shipper wrote; None for what is no line of a container.
    """

    def __init__(self, path: Path, *, read: Callable[[str], Line | None], take_lines: TakeLines) -> None:
        self.program = (sys.executable, "-SE", str(Path(__file__).with_name("confirmer.py")), str(path))
        """What the shipper is to start and to hand its lines to."""
        self._read = read
        self._take_lines = take_lines
        self._accepts = threading.Event()
        self._accepts.set()
        self._server = socketserver.ThreadingUnixStreamServer(str(path), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def refuse(self) -> None:
        """Take no line from now on."""
        self._accepts.clear()

    def accept(self) -> None:
        """Take all lines again."""
        self._accepts.set()

    def _handler(intake) -> type[socketserver.StreamRequestHandler]:  # noqa: N805 - the handler's self is another
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # it was killed
                    self.wfile.write(b"OK\n")
                    for line in self.rfile:
                        self.wfile.write(b"OK\n" if self._take(line) else b"refused\n")

            def _take(self, line: bytes) -> bool:
                accepts = intake._accepts.is_set()
                if accepts and line.endswith(b"\n"):
                    text = line.decode(errors="replace").rstrip("\n")
                    intake._take_lines(_lines(intake._read, [text]))
                return accepts

        return Handler


class HttpIntake:
    """An HTTP server that takes JSON: a list of records, or a record on each line. Refusing, it answers 503.

    Parameters
    ----------
    read
        makes a line of a record; None for what is no line of a container.
    """

    def __init__(self, *, read: Callable[[Mapping[str, Any]], Line | None], take_lines: TakeLines) -> None:
        self._read = read
        self._take_lines = take_lines
        self._accepts = threading.Event()
        self._accepts.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1; any path will do."""
        return self._server.server_port

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def refuse(self) -> None:
        """Answer 503 to everything."""
        self._accepts.clear()

    def accept(self) -> None:
        """Take everything again."""
        self._accepts.set()

    def _handler(intake) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler's self is another one
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self._body()
                accepts = intake._accepts.is_set()
                if accepts:
                    intake._take_lines(_lines(intake._read, _records(body)))
                self.send_response(200 if accepts else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = b""
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                zipped = self.headers.get("Content-Encoding") in ("gzip", "deflate")
                return zlib.decompress(body, zlib.MAX_WBITS | 32) if zipped else body

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


def _records(body: bytes) -> list[Mapping[str, Any]]:
    text = body.decode(errors="replace")
    if text.startswith("["):
        records: list[Mapping[str, Any]] = json.loads(text)
        return records
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def _lines(read: Callable[[T], Line | None], found: Iterable[T]) -> list[Line]:
    return [line for each in found if (line := read(each)) is not None]
