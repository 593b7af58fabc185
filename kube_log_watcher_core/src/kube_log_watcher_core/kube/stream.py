"""A watch's stream: bytes to lines, lines to events."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator

import attrs

from kube_log_watcher_core.errors import ApiError, ServerError
from kube_log_watcher_core.kube.answers import error_of
from kube_log_watcher_core.kube.decode import MalformedPod, as_dict, decode_pod
from kube_log_watcher_core.models import Pod


class LineSplitter:
    """Cuts a stream into lines, however its pieces fall.

    Own work, because the line iterators of HTTP libraries wait for a full buffer when the stream is not
    chunked, and so withhold events.
    """

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._parts: list[bytes] = []
        self._held = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the lines that are whole with this piece, without empty ones.

        Raises `ServerError` when a line grows beyond the limit.
        """
        *ends, rest = piece.split(b"\n")
        for end in ends:
            line = b"".join((*self._parts, end)).strip()
            self._parts, self._held = [], 0
            if line:
                yield line
        self._hold(rest)

    @property
    def held_bytes(self) -> int:
        """How much of an unfinished line is there."""
        return self._held

    def _hold(self, rest: bytes) -> None:
        if rest:
            self._parts.append(rest)
            self._held += len(rest)
        if self._held > self._limit:
            raise ServerError(f"an event is longer than {self._limit} bytes", status=200)


class Kind(enum.Enum):
    """What an event says."""

    PUT = "put"
    REMOVED = "removed"
    BOOKMARK = "bookmark"
    SKIPPED = "skipped"


@attrs.frozen
class Event:
    """A watch event, reduced."""

    kind: Kind
    version: str | None
    """The version from which to go on after this event, if it told one."""
    pod: Pod | None = None
    detail: str = ""
    """Why an event was skipped."""


_KINDS = {"ADDED": Kind.PUT, "MODIFIED": Kind.PUT, "DELETED": Kind.REMOVED}


def parse_event(line: bytes) -> Event:
    """Read one line of a watch.

    Raises the error that an ERROR event stands for, `ServerError` for a line that is no event. A pod that
    can't be read and an unknown kind of event give an event to skip: the stream itself is well.
    """
    event = as_dict(_json(line))
    kind, item = event.get("type"), as_dict(event.get("object"))
    if kind == "ERROR":
        raise _error(item)
    if not isinstance(kind, str) or not item:
        raise ServerError("a line of the watch is no event", status=200)
    version = as_dict(item.get("metadata")).get("resourceVersion")
    version = version if isinstance(version, str) and version else None
    if kind == "BOOKMARK":
        return Event(Kind.BOOKMARK, version)
    if kind not in _KINDS:
        return Event(Kind.SKIPPED, version, detail=f"unknown kind of event {kind!r:.40}")
    try:
        return Event(_KINDS[kind], version, decode_pod(item))
    except MalformedPod as error:
        return Event(Kind.SKIPPED, version, detail=str(error))


def _json(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ServerError(f"a line of the watch is no JSON: {str(error)[:100]}", status=200) from error


def _error(status: object) -> ApiError:
    fields = as_dict(status)
    code = fields.get("code")
    return error_of(code if isinstance(code, int) else 500, dict(fields), verb="watch")
