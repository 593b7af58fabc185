"""A watch's stream: bytes to lines, lines to events."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import attrs

from kube_log_watcher_core.errors import ServerError
from kube_log_watcher_core.kube.answers import error_of
from kube_log_watcher_core.kube.decode import WANTED, as_dict, pod_or_why, read_item
from kube_log_watcher_core.kube.json_reader import WHOLE, JsonReader, Wanted
from kube_log_watcher_core.kube.session import Cut
from kube_log_watcher_core.models import Pod, UnreadablePod

WHOLE_BYTES: Final = 256 * 1024
"""An event up to this length is decoded as a whole, which is fast; a longer one is read as it arrives."""

_STATUS = dict.fromkeys(("code", "reason", "message", "details"), WHOLE)
_WANTED: Mapping[str, Wanted] = {"type": WHOLE, "object": {**WANTED, **_STATUS}}


class Lines:
    """Cuts a stream into lines, however its pieces fall; hands a long one on while it arrives.

    Own work, because the line iterators of HTTP libraries wait for a full buffer when the stream is not
    chunked, and so withhold events.
    """

    def __init__(self, pieces: Iterable[bytes], *, clock: Callable[[], float], line_seconds: float) -> None:
        self._pieces = iter(pieces)
        self._clock = clock
        self._line_seconds = line_seconds
        self._began: float | None = None
        self._rest = b""

    def __iter__(self) -> Iterator[bytes | Iterator[bytes]]:
        """Yield each line that has an end, without empty ones; a long one in pieces, while it arrives.

        Raises `ServerError` when a line takes too long to arrive.
        """
        parts: list[bytes] = []
        held = 0
        while piece := self._piece():
            *ends, rest = piece.split(b"\n")
            for end in ends:
                if line := b"".join((*parts, end)).strip():
                    yield line
                parts, held, self._began = [], 0, None
            if rest:
                parts.append(rest)
                held += len(rest)
                self._began = self._clock() if self._began is None else self._began
            if held > WHOLE_BYTES:
                long = self._long(parts)
                yield long
                for _ in long:  # what its reader has left of it
                    pass
                parts, held, self._began = [], 0, None

    def _long(self, parts: list[bytes]) -> Iterator[bytes]:
        yield from parts
        while piece := self._piece():
            end, newline, self._rest = piece.partition(b"\n")
            if end:
                yield end
            if newline:
                return
        raise Cut("watch pods: the stream ended in the middle of an event")

    def _piece(self) -> bytes:
        piece, self._rest = self._rest or next(self._pieces, b""), b""
        if self._began is not None and self._clock() - self._began > self._line_seconds:
            raise ServerError("an event did not end in time", status=200)
        return piece


class EventType(enum.Enum):
    """What a watch event says: the API's types, reduced to what follows from them."""

    PUT = "put"
    REMOVED = "removed"
    BOOKMARK = "bookmark"
    SKIPPED = "skipped"


@attrs.frozen
class WatchEvent:
    """A watch event, reduced."""

    type: EventType
    version: str | None
    """The version from which to go on after this event, if it told one."""
    pod: Pod | UnreadablePod | None = None
    detail: str = ""
    """Why an event was skipped."""


_TYPES = {"ADDED": EventType.PUT, "MODIFIED": EventType.PUT, "DELETED": EventType.REMOVED}


def parse_event(line: bytes | Iterable[bytes]) -> WatchEvent:
    """Parse one line of a watch, or the pieces of a long one.

    Raises the error that an ERROR event stands for, `ServerError` for a line that is no event. A pod that
    can't be read gives its names, an unknown type gives one to skip: the stream itself is well.
    """
    try:
        reader = JsonReader([line] if isinstance(line, bytes) else line)
        event, too_long = read_item(reader, _WANTED)
        if reader.peek():
            raise ValueError("there is more after its end")
    except (ValueError, RecursionError) as error:
        raise ServerError(f"a line of the watch is no JSON: {str(error)[:100]}", status=200) from error
    told, item = as_dict(event).get("type"), as_dict(as_dict(event).get("object"))
    if told == "ERROR":
        code = item.get("code")
        raise error_of(code if isinstance(code, int) else 500, item, verb="watch")
    if not isinstance(told, str) or not item:
        raise ServerError("a line of the watch is no event", status=200)
    version = as_dict(item.get("metadata")).get("resourceVersion")
    version = version if isinstance(version, str) and version else None
    if told == "BOOKMARK":
        return WatchEvent(EventType.BOOKMARK, version)
    if told not in _TYPES:
        return WatchEvent(EventType.SKIPPED, version, detail=f"unknown type of event {told!r:.40}")
    return WatchEvent(_TYPES[told], version, pod_or_why(item, too_long))
