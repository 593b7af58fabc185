"""A server on loopback that takes what the real Scalyr agent ships."""

from __future__ import annotations

import json
import re
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import attrs

# The agent's requests are JSON but for two things: names without quotes, and messages, which are a
# backtick, an s, four bytes of length, and the raw bytes.
_PART = re.compile(rb'"(?:[^"\\]|\\.)*"|`s|(?P<name>[A-Za-z_]\w*)\s*:', re.DOTALL)


def as_json(body: bytes) -> bytes:
    """Turn a request into JSON."""
    parts: list[bytes] = []
    done = 0
    while match := _PART.search(body, done):
        parts.append(body[done : match.start()])
        done = match.end()
        if match["name"]:
            parts.append(b'"%b":' % match["name"])
        elif match[0] != b"`s":
            parts.append(match[0])
        else:
            start, length = done + 4, int.from_bytes(body[done : done + 4], "big")
            done = start + length
            parts.append(json.dumps(body[start:done].decode(errors="replace")).encode())
    return b"".join([*parts, body[done:]])


@attrs.frozen
class Line:
    """A line as it was shipped."""

    message: str
    attributes: dict[str, Any]
    """The log's attributes and the line's own, over those of the server."""


class Receiver:
    """Takes ``/addEvents`` requests, as long as the ``with`` block lasts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: list[Line] = []
        self._open = threading.Event()
        self._open.set()
        self._refuses = False
        self.waiting = 0
        """Requests that wait for `let_in`."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def lines(self) -> list[Line]:
        """All lines that arrived so far."""
        with self._lock:
            return list(self._lines)

    def keep_out(self) -> None:
        """Leave all requests waiting from now on, like a server that is slow."""
        self._open.clear()

    def let_in(self) -> None:
        """Take the requests that wait, and all others."""
        self._open.set()

    def refuse(self) -> None:
        """Take nothing from now on: answer each request with a 503."""
        self._refuses = True

    def accept(self) -> None:
        """Take all requests again."""
        self._refuses = False

    def messages(self, **attributes: str) -> list[str]:
        """Give the messages of the lines that have these attributes, without line ends."""
        return [
            line.message.rstrip("\n") for line in self.lines if attributes.items() <= line.attributes.items()
        ]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_in()
        self._server.shutdown()
        self._server.server_close()

    def take(self, body: bytes) -> None:
        """Read one request's body."""
        document = json.loads(as_json(body))
        logs = {log["id"]: log["attrs"] for log in document.get("logs", [])}
        server = document.get("sessionInfo", {})
        lines = [
            Line(
                message=event["attrs"].get("message", ""),
                attributes={**server, **logs.get(event.get("log"), {}), **event["attrs"]},
            )
            for event in document.get("events", [])
        ]
        with self._lock:
            self._lines += lines

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler's self is another one
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Content-Encoding") == "deflate":
                    body = zlib.decompress(body)
                receiver.waiting += 1
                receiver._open.wait()
                receiver.waiting -= 1
                if receiver._refuses:
                    self.send_error(503)
                    return
                receiver.take(body)
                answer = b'{"status": "success"}'
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
