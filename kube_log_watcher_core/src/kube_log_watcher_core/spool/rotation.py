"""In which order a log's files were written, and which of them are not spooled yet. Pure.

The kubelet renames ``0.log`` to ``0.log.20261124-120000``, one cycle later compresses that by way of
``.tmp`` to ``.gz``. Docker moves ``<id>-json.log`` to ``.1``, ``.1`` to ``.2``, and may compress as well.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

import attrs

_KUBELET = re.compile(r"\.(?P<time>[0-9]{8}-[0-9]{6})(?P<compressed>\.gz)?")
_DOCKER = re.compile(r"\.(?P<age>[1-9][0-9]{0,4})(?P<compressed>\.gz)?")


@attrs.frozen
class LogEntry:
    """One of the files that a log has had."""

    name: str
    inode: int
    compressed: bool = False

    @property
    def rotated_as(self) -> str:
        """The name that it got when it was rotated, before it was compressed."""
        return self.name.removesuffix(".gz")


def files_of(log: str, entries: Iterable[tuple[str, int]]) -> tuple[LogEntry, ...]:
    """Return the files of a log, oldest first; the live one, where it is there, is the last.

    Parameters
    ----------
    log
        the name of the live file: ``0.log``, ``<id>-json.log``.
    entries
        names and inodes of all that lies in its folder.
    """
    found = [
        (age, file)
        for name, inode in entries
        if (age := _age(log, name)) is not None
        for file in [LogEntry(name, inode, compressed=name.endswith(".gz"))]
    ]
    return tuple(file for _, file in sorted(found, key=lambda each: (each[0], not each[1].compressed)))


def _age(log: str, name: str) -> tuple[int, str] | None:
    """Return what the files of a log are sorted by; None for what is no file of it."""
    if name == log:
        return (1, "")
    if not name.startswith(log):
        return None
    rest = name[len(log) :]
    if match := _KUBELET.fullmatch(rest):
        return (0, match["time"])
    if match := _DOCKER.fullmatch(rest):
        return (-int(match["age"]), "")
    return None


def rotated_before(files: Sequence[LogEntry], written: float) -> frozenset[str]:
    """Return what files were rotated as before a file of the same log was written to, in epoch seconds.

    The kubelet's names have the time, by a clock that nearly every node sets to UTC. Docker's move on with
    each rotation and tell nothing: all of them count as earlier.
    """
    moment = datetime.fromtimestamp(written, UTC).strftime("%Y%m%d-%H%M%S")
    times = {file.rotated_as: file.rotated_as.rpartition(".")[2] for file in files}
    return frozenset(name for name, time in times.items() if "-" not in time or time < moment)


@attrs.frozen
class Unspooled:
    """What a log's folder has that the spool does not."""

    files: tuple[LogEntry, ...] = ()
    """To be linked, in this order."""
    compressed: tuple[LogEntry, ...] = ()
    """Came and went between two looks: no shipper could read these any more."""


def unspooled(
    files: Sequence[LogEntry],
    held: Collection[int],
    *,
    earlier: Collection[int] = (),
    seen: Collection[str] = (),
) -> Unspooled:
    """Return the files that came after the newest one that the spool holds.

    What is older than that was spooled in its time, and let go of once it was read: linking it again
    would ship it again.

    Parameters
    ----------
    held
        inodes that the spool has links to. While it has, no other file can get them.
    earlier
        inodes of rotated files that were written to last before the newest that the spool holds was. Needed
        where that one is in the folder no more (`is_overtaken`).
    seen
        what rotated files at an earlier look were rotated as.
    """
    newest = max((index for index, file in enumerate(files) if file.inode in held), default=-1)
    later = files[newest + 1 :]
    new = [file for file in later if not file.compressed]
    compressed = [file for file in later if file.compressed] if held else []
    if is_overtaken(files, held):
        # Docker uses its names again; by the clock alone, which may be set back, nothing counts as old.
        new = [file for file in new if file.inode not in earlier or file.rotated_as not in seen]
        # A compressed file is another one than it was. The oldest of them is the one that the spool has.
        compressed = [file for file in compressed if file.rotated_as not in seen][1:]
    return Unspooled(files=tuple(new), compressed=tuple(compressed))


def is_overtaken(files: Sequence[LogEntry], held: Collection[int]) -> bool:
    """Whether all that the spool holds has left the log's folder: its order tells no longer what is new."""
    return bool(held) and not any(file.inode in held for file in files)
