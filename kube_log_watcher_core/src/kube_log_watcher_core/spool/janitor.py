"""Removes segments that nobody needs any more, and the oldest where there are too many.

Called in a thread of its own: to remove the last name of a large file takes its time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.segments import WAITING
from kube_log_watcher_core.spool.disk import Found, SpoolDisk
from kube_log_watcher_core.spool.release import Closed, Room, SpoolRules, beyond_bounds
from kube_log_watcher_core.spool.spooled import Segment, Spooled

logger = logging.getLogger(__name__)

SegmentKey = tuple[str, int]
"""The key of a segment's container, and its number."""


@attrs.frozen
class Chores:
    """What is to be done."""

    logs: tuple[Spooled, ...] = ()
    """All that is held, and may be removed once it is done with or beyond the bounds."""
    is_look: bool = True
    """Whether these are all: else only what is dropped is to be removed."""
    done: frozenset[SegmentKey] = frozenset()
    """Closed segments that every shipper is done with."""
    dropped: tuple[Spooled, ...] = ()
    """Logs that nobody wants shipped any more."""
    unclaimed: tuple[Spooled, ...] = ()
    """Logs that have waited for their time, and whose pods have not shown."""
    left: tuple[Spooled, ...] = ()
    """What an earlier process has left of logs of which nobody knows any more."""
    read_bytes: Mapping[SegmentKey, int] = attrs.field(factory=dict)
    """How far the slowest shipper has read a closed segment, where one tells."""
    rules: SpoolRules = attrs.field(factory=SpoolRules)


@attrs.frozen
class GivenUp:
    """A segment that was removed although not every shipper has told that it has read it."""

    key: str
    number: int
    unread_bytes: int
    """All of it where nobody tells."""


@attrs.frozen
class Unclaimed:
    """What was removed of a log whose pod has not shown."""

    key: str
    files: int
    unread_bytes: int


@attrs.frozen
class Swept:
    """What was done, and what is left."""

    removed: frozenset[SegmentKey] = frozenset()
    given_up: tuple[GivenUp, ...] = ()
    unclaimed: tuple[Unclaimed, ...] = ()
    taken: tuple[Path, ...] = ()
    """What somebody else had removed."""
    undone: tuple[Spooled, ...] = ()
    """Dropped logs of which something could not be removed."""
    held_bytes: int | None = 0
    """Of what only the spool still holds; None when it was not looked at."""
    trouble: str = ""
    """What could not be removed or looked at, and why."""


class Janitor:
    """Does the chores of one spool folder after the other."""

    def __init__(self, disk: SpoolDisk | None = None) -> None:
        self._disk = disk or SpoolDisk()
        self._troubles: list[str] = []
        self._taken: list[Path] = []

    def sweep(self, chores: Chores) -> Swept:
        """Remove what is done with, look at what is left, and keep within the bounds."""
        self._troubles, self._taken = [], []
        removed = self._remove_done(chores)
        unclaimed = [self._look_at_unclaimed(log) for log in chores.unclaimed]
        not_wanted = (*chores.dropped, *chores.unclaimed)
        undone = [log for log in not_wanted if len(self._remove(log, log.segments)) < len(log.segments)]
        for log in chores.left:
            self._remove_left(log)
        closed = [each for log in chores.logs for each in self._look(log, removed)]
        by_key = {log.key: log for log in chores.logs}
        beyond: list[Closed] = []
        for spool in {log.spool for log in chores.logs}:
            here = [each for each in closed if by_key[each.key].spool == spool]
            beyond.extend(self._beyond(spool, here, chores.rules))
        for each in beyond:
            log = by_key[each.key]
            removed |= self._remove(log, [one for one in log.segments if one.number == each.number])
        left = [each for each in closed if (each.key, each.number) not in removed]
        return Swept(
            removed=frozenset(removed),
            given_up=tuple(
                GivenUp(
                    each.key,
                    each.number,
                    unread_bytes=max(each.size - chores.read_bytes.get((each.key, each.number), 0), 0),
                )
                for each in beyond
                if (each.key, each.number) in removed
            ),
            unclaimed=tuple(unclaimed),
            taken=tuple(self._taken),
            undone=tuple(undone),
            held_bytes=sum(each.held_bytes for each in left) if chores.is_look else None,
            trouble="; ".join(dict.fromkeys(self._troubles)),
        )

    def _remove_done(self, chores: Chores) -> set[SegmentKey]:
        removed: set[SegmentKey] = set()
        for log in chores.logs:
            done = [each for each in log.segments if (log.key, each.number) in chores.done]
            removed |= self._remove(log, done)
        return removed

    def _remove(self, log: Spooled, segments: Iterable[Segment]) -> set[SegmentKey]:
        """Remove segments, and the pod's folder with the last of them; return which are gone.

        What somebody else has put in place of one stays.
        """
        removed: set[SegmentKey] = set()
        paths = {log.path(segment): segment for segment in segments}
        if not paths:
            return removed
        folder = next(iter(paths)).parent
        try:
            with self._disk.folder(log.spool, folder.name) as fd:
                inodes = {
                    each.name: each.inode for each in self._disk.found(fd, [path.name for path in paths])
                }
                for path, segment in paths.items():
                    if inodes.get(path.name) == segment.inode:
                        self._disk.remove(fd, path.name)
                        logger.debug("%s is removed", path)
                    removed.add((log.key, segment.number))
                if log.note and len(removed) == len(log.segments):
                    self._disk.remove(fd, log.note_path.name)
        except FileNotFoundError:  # somebody was faster, with the whole folder
            return {(log.key, each.number) for each in paths.values()}
        except OSError as error:
            self._troubles.append(f"{folder}: {error.strerror}")
        if folder.name != WAITING:
            self._disk.remove_folder(log.spool, folder.name)
        return removed

    def _look_at_unclaimed(self, log: Spooled) -> Unclaimed:
        files = self._look(log, set())
        return Unclaimed(log.key, len(files), sum(each.size for each in files))

    def _remove_left(self, log: Spooled) -> None:
        """Remove what only the spool still has: what a pod has as well may be known again."""
        alone = [each for each in self._look(log, set()) if each.links == 1]
        if alone:
            numbers = {each.number for each in alone}
            removed = self._remove(log, [each for each in log.segments if each.number in numbers])
            size = sum(each.size for each in alone if (log.key, each.number) in removed)
            text = "%d files of %s with %d bytes are removed: nobody knows of its container any more"
            logger.info(text, len(removed), log.key, size)

    def _look(self, log: Spooled, removed: set[SegmentKey]) -> list[Closed]:
        """Look at the closed segments that are left; what somebody else has removed is gone for us, too."""
        closed = [
            each for each in log.segments if each.closed is not None and (log.key, each.number) not in removed
        ]
        if not closed:
            return []
        paths = {log.path(each).name: each for each in closed}
        folder = log.path(closed[0]).parent
        try:
            with self._disk.folder(log.spool, folder.name) as fd:
                there = self._disk.found(fd, list(paths))
        except FileNotFoundError:
            there = []
        except OSError as error:
            self._troubles.append(f"{folder}: {error.strerror}")
            return []
        found = {each.name: each for each in there if each.inode == paths[each.name].inode}
        taken = {name: each for name, each in paths.items() if name not in found}
        if taken and log.shown:  # else it may have been shown meanwhile
            self._taken.extend(folder / name for name in taken)
            self._disk.remove_folder(log.spool, folder.name)
        removed |= {(log.key, each.number) for each in taken.values()}
        return [_closed(log.key, paths[name], each) for name, each in found.items()]

    def _beyond(self, spool: Path, closed: Sequence[Closed], rules: SpoolRules) -> Sequence[Closed]:
        if not any(each.held_bytes for each in closed):
            return ()
        try:
            total, free = self._disk.room(spool)
        except OSError as error:
            self._troubles.append(f"{spool}: {error.strerror}")
            return ()
        return beyond_bounds(closed, Room(total, free), rules)


def _closed(key: str, segment: Segment, found: Found) -> Closed:
    return Closed(
        key=key,
        number=segment.number,
        inode=found.inode,
        size=found.size,
        links=found.links,
        since=segment.closed or 0.0,
    )
