"""Watches of the fake API server."""

from __future__ import annotations

import enum
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from socket import socket

from kube_log_watcher_testing.fake_api.history import Change, History, Selector
from kube_log_watcher_testing.fake_api.objects import JsonObject

GLANCE_SECONDS = 0.05
"""How often a quiet stream looks whether its client is still there."""


class Order(enum.Enum):
    """What a test tells open streams to do."""

    END = "end properly"
    CUT = "break off"
    CUT_IN_LINE = "break off in the middle of a line"
    BOOKMARK = "send a bookmark"
    FALL_SILENT = "say nothing any more, but stay open"


@dataclass(frozen=True)
class WatchRequest:
    """What a watch asks for."""

    selector: Selector
    version: int
    bookmarks: bool
    seconds: float


@dataclass(eq=False)
class Stream:
    """One open watch."""

    orders: list[Order] = field(default_factory=list)
    silent: bool = False


class Streams:
    """All open watches."""

    def __init__(self, history: History) -> None:
        self._changed = history.changed
        self._open: set[Stream] = set()

    def __len__(self) -> int:
        return len(self._open)

    def open(self) -> Stream:
        """Add a stream."""
        with self._changed:
            stream = Stream()
            self._open.add(stream)
            return stream

    def close(self, stream: Stream) -> None:
        """Remove a stream."""
        with self._changed:
            self._open.discard(stream)

    def order(self, order: Order) -> int:
        """Tell all open streams to do something; give their number."""
        with self._changed:
            for stream in self._open:
                stream.orders.append(order)
            self._changed.notify_all()
            return len(self._open)


class Broken(Exception):
    """A stream shall break off, after these bytes."""

    def __init__(self, last: bytes = b"") -> None:
        super().__init__("a stream breaks off on purpose")
        self.last = last


class Watching:
    """What one watch says, in order."""

    def __init__(
        self, history: History, stream: Stream, request: WatchRequest, *, bookmark_seconds: float
    ) -> None:
        self._history = history
        self._stream = stream
        self._request = request
        self._bookmark_seconds = bookmark_seconds
        self._version = request.version

    def events(self, gone: Callable[[], bool]) -> Iterator[JsonObject]:
        """Yield events until the time is over. Raises `Broken` when told to."""
        end = time.monotonic() + self._request.seconds
        bookmark = time.monotonic() + self._bookmark_seconds
        while time.monotonic() < end and not gone():
            yield from self._news()
            for order in self._take_orders():
                if order is Order.END:
                    return
                yield from self._obey(order)
            if time.monotonic() >= bookmark:
                bookmark = time.monotonic() + self._bookmark_seconds
                yield from self._bookmark()
            self._wait(min(end, bookmark))
        yield from self._bookmark()

    def _news(self) -> Iterator[JsonObject]:
        for change in [] if self._stream.silent else self._history.after(self._version):
            self._version = change.version
            yield from _event(change, self._request.selector)

    def _take_orders(self) -> list[Order]:
        with self._history.changed:
            orders, self._stream.orders = self._stream.orders, []
            return orders

    def _obey(self, order: Order) -> Iterator[JsonObject]:
        if order is Order.CUT:
            raise Broken
        if order is Order.CUT_IN_LINE:
            raise Broken(b'{"type":"MODIFIED","object":{"kind":"Pod","metadata":{"name":"half')
        if order is Order.FALL_SILENT:
            self._stream.silent = True
        else:
            yield from self._bookmark()

    def _bookmark(self) -> Iterator[JsonObject]:
        if self._request.bookmarks and not self._stream.silent:
            metadata = {"resourceVersion": str(max(self._version, self._request.version))}
            item = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": {}, "status": {}}
            yield {"type": "BOOKMARK", "object": item}

    def _wait(self, until: float) -> None:
        with self._history.changed:
            quiet = self._stream.silent or not self._history.after(self._version)
            left = until - time.monotonic()
            if quiet and not self._stream.orders and left > 0:
                self._history.changed.wait(min(left, GLANCE_SECONDS))


def client_gone(connection: socket) -> bool:
    """Whether a client that should be listening has closed its connection."""
    try:
        return bool(select.select([connection], [], [], 0)[0])
    except (OSError, ValueError):
        return True


def _event(change: Change, selector: Selector) -> Iterator[JsonObject]:
    seen = change.seen_by(selector)
    if seen:
        kind, item = seen
        yield {"type": kind, "object": {"kind": "Pod", "apiVersion": "v1", **item}}
