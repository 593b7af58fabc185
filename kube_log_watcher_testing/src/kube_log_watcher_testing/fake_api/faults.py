"""What can go wrong with the fake API server's answers."""

from __future__ import annotations

import threading
from dataclasses import dataclass


class Fault:
    """Something that happens instead of, or to, a good answer."""


@dataclass(frozen=True)
class Refuse(Fault):
    """An HTTP status that is not 200."""

    status: int = 500
    retry_after: int | None = None
    """Seconds."""
    text: str = ""
    """A plain text body, as 429 has it; else the body is a ``Status`` object."""


@dataclass(frozen=True)
class Drop(Fault):
    """The connection is closed without an answer."""


@dataclass(frozen=True)
class Slow(Fault):
    """A good answer, but late."""

    seconds: float = 0.4


@dataclass(frozen=True)
class Body(Fault):
    """Status 200 with this body, whatever was asked."""

    content: bytes = b"<html>Welcome</html>"


@dataclass(frozen=True)
class Truncated(Fault):
    """A good answer of which the second half does not come."""


@dataclass(frozen=True)
class Endless(Fault):
    """The beginning of a list, then white space for ever."""

    pause_seconds: float = 0.0
    """Between two pieces of 64 KiB."""


@dataclass(frozen=True)
class Drip(Fault):
    """An answer that goes on for ever, byte by byte, and never says anything."""

    in_head: bool = True
    """In a header; else in the length of a chunk, which HTTP libraries read as one thing, too."""
    pause_seconds: float = 1.0
    """Between two bytes."""


@dataclass(frozen=True)
class Empty(Fault):
    """A list without items, as of a server that has just started."""


@dataclass(frozen=True)
class Redirect(Fault):
    """A redirect to another place."""

    location: str


@dataclass(frozen=True)
class Silent(Fault):
    """A watch that stays open and says nothing."""


@dataclass(frozen=True)
class HalfLine(Fault):
    """A watch that brings what it would, then half a line, and breaks off."""


@dataclass(frozen=True)
class ShortWatch(Fault):
    """A watch that brings what it would, and ends properly."""

    seconds: float = 0.0
    """After so long."""


@dataclass(frozen=True)
class Unchunked(Fault):
    """A good watch whose stream has no chunks and no length: it lasts until the connection closes."""


@dataclass(frozen=True)
class Expired(Fault):
    """410: as an ERROR event inside a watch's 200, else, or `as_status`, as an HTTP status."""

    as_status: bool = False


class FaultPlan:
    """Which faults come next, by verb."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[tuple[str, Fault, int | None]] = []

    def add(self, fault: Fault, *, verb: str, times: int | None) -> None:
        """Let the next requests of a verb (``*``: any) meet a fault; without `times`, all of them."""
        with self._lock:
            self._entries.append((verb, fault, times))

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._entries.clear()

    def take(self, verb: str) -> Fault | None:
        """Return the fault that a request of this verb meets now."""
        with self._lock:
            for index, (wanted, fault, times) in enumerate(self._entries):
                if wanted in ("*", verb):
                    self._use(index, times)
                    return fault
        return None

    def _use(self, index: int, times: int | None) -> None:
        if times is None:
            return
        verb, fault, _ = self._entries[index]
        if times > 1:
            self._entries[index] = (verb, fault, times - 1)
        else:
            del self._entries[index]
