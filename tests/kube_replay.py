"""Replays recorded answers of a real API server, byte for byte."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

import attrs

RECORDINGS = Path(__file__).parent / "data" / "api"


@attrs.frozen
class Recording:
    """One recorded answer, in pieces."""

    pieces: tuple[bytes, ...]

    @classmethod
    def read(cls, name: str, *, piece_bytes: int | None = None) -> Recording:
        """Read an answer; in the pieces in which it once arrived, or in pieces of this size."""
        raw = (RECORDINGS / f"{name}.response.raw").read_bytes()
        return cls(_cut(raw, piece_bytes) if piece_bytes else _as_recorded(raw, name))


def _cut(raw: bytes, size: int) -> tuple[bytes, ...]:
    return tuple(raw[at : at + size] for at in range(0, len(raw), size))


def _as_recorded(raw: bytes, name: str) -> tuple[bytes, ...]:
    timing = RECORDINGS / f"{name}.timing.jsonl"
    if not timing.exists():
        return (raw,)
    reads = [json.loads(line) for line in timing.read_text().splitlines()]
    return tuple(raw[each["offset"] : each["offset"] + each["bytes"]] for each in reads if "bytes" in each)


class Replay:
    """An API server that gives recorded answers in order, by verb, and then no answer at all."""

    def __init__(self, answers: Mapping[str, Sequence[str]], *, piece_bytes: int | None = None) -> None:
        self._answers = {
            verb: [Recording.read(name, piece_bytes=piece_bytes) for name in names]
            for verb, names in answers.items()
        }
        self.requests: list[tuple[str, dict[str, str]]] = []
        """Verb and query of all requests that were answered or are waiting."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._waiting: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(30)
        for connection in self._waiting:
            connection.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._listening.getsockname()
        return f"http://{host}:{port}"

    def verbs(self) -> list[str]:
        """Give the verbs that were asked, in order."""
        return [verb for verb, _ in self.requests]

    def _serve(self) -> None:
        for connection in self._connections():
            verb, query = _asked(connection)
            self.requests.append((verb, query))
            left = self._answers.get(verb, [])
            if left:
                self._answer(connection, left.pop(0))
            else:
                self._waiting.append(connection)

    def _connections(self) -> Iterator[socket.socket]:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield connection

    def _answer(self, connection: socket.socket, recording: Recording) -> None:
        with connection, contextlib.suppress(OSError):
            for piece in recording.pieces:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(1.0)
            connection.recv(1)  # until the client has closed: it gets all of it, and no reset


def _asked(connection: socket.socket) -> tuple[str, dict[str, str]]:
    head = b""
    while b"\r\n\r\n" not in head and (piece := connection.recv(4096)):
        head += piece
    parts = urlsplit(head.split(b" ")[1].decode())
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    if not parts.path.endswith("/pods"):
        return "get", query
    return ("watch" if "watch" in query else "list"), query
