"""What the spool holds of one log. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import attrs

from kube_log_watcher_core.segments import WAITING, Place, kept_name, note_name


@attrs.frozen
class Segment:
    """One file of a log, under a number of its own that is never used again."""

    number: int
    inode: int
    closed: float | None = None
    """Seconds since the epoch at which the log went on to another file, or ended; None before."""


@attrs.frozen
class Spooled:
    """What the spool holds of one log."""

    key: str
    spool: Path
    """The folder of ``WATCHER_SPOOL_DIR`` that has it."""
    place: Place | None = None
    """None while the container's id is not known: then nothing is shown either."""
    shown: bool = False
    """Whether shippers see the segments."""
    segments: tuple[Segment, ...] = ()
    """Oldest first; the last is the live one, as long as the container is there."""
    next_number: int = 0
    seen: frozenset[str] = frozenset()
    """What rotated files at the last look were rotated as."""
    trouble: str = ""
    """Why the newest file has no link yet; it is tried again at each look."""
    note: str = ""
    """What lies beside its files while they wait, for the next process: whose they are."""
    stem: str = attrs.field(default=attrs.Factory(lambda self: waiting_stem(self.key), takes_self=True))
    """How the names of its files begin while they wait."""

    @property
    def is_open(self) -> bool:
        """Whether the last segment is still written to."""
        return bool(self.segments) and self.segments[-1].closed is None

    @property
    def is_any_closed(self) -> bool:
        """Whether a segment waits for being read, and then for being removed."""
        return any(each.closed is not None for each in self.segments)

    def path(self, segment: Segment) -> Path:
        """Return where a segment lies now."""
        if self.shown and self.place is not None:
            return self.spool / self.place.folder / self.place.segment(segment.number)
        return self.spool / WAITING / kept_name(self.stem, segment.number)

    @property
    def note_path(self) -> Path:
        """Where the note lies while the files wait."""
        return self.spool / WAITING / note_name(self.stem)

    def is_live(self, inode: int) -> bool:
        """Whether the log's live file is the one that was linked last, and nothing is left to do."""
        return self.is_open and self.segments[-1].inode == inode and not self.trouble

    def with_segment(self, segment: Segment, now: float) -> Self:
        """Return this with one more file: the one that was written to so far is closed."""
        before = self.closed_at(now).segments
        return attrs.evolve(self, segments=(*before, segment), next_number=segment.number + 1)

    def closed_at(self, now: float) -> Self:
        """Return this with the last file closed."""
        if not self.is_open:
            return self
        return attrs.evolve(self, segments=(*self.segments[:-1], attrs.evolve(self.segments[-1], closed=now)))

    def opened(self) -> Self:
        """Return this with the last file open again: an earlier process, or its end, had it closed."""
        last = attrs.evolve(self.segments[-1], closed=None)
        return attrs.evolve(self, segments=(*self.segments[:-1], last))


def moved(segments: Iterable[Segment], seconds: float) -> tuple[Segment, ...]:
    """Return segments with the times at which they were closed moved along with the wall clock."""
    return tuple(
        each if each.closed is None else attrs.evolve(each, closed=each.closed + seconds) for each in segments
    )


def waiting_stem(key: str) -> str:
    """Return how the names of what waits of a container's log begin: its id may not be known yet."""
    return hashlib.sha256(key.encode()).hexdigest()
