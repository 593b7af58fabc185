"""Keeps one hard link for each file that a log has, from the moment at which the file is seen.

Called by the main thread. The folders are the memory: what has a link there has been spooled, whoever
made it and whenever. No segment is removed here: `release` decides, `janitor` does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.segments import Place
from kube_log_watcher_core.spool.disk import SpoolDisk
from kube_log_watcher_core.spool.left import LeftBehind
from kube_log_watcher_core.spool.linking import Linker, explained
from kube_log_watcher_core.spool.spooled import Spooled, moved

logger = logging.getLogger(__name__)


class CannotSpool(Exception):
    """A log can't be kept in any folder of the spool: the message tells why, and the remedy."""


class Spool:
    """The folders in which segments lie, and what they hold of each log, by the container's key."""

    def __init__(
        self, folders: Sequence[Path], *, wall: Callable[[], float], disk: SpoolDisk | None = None
    ) -> None:
        self._folders = tuple(folders)
        self._wall = wall
        disk = disk or SpoolDisk()
        self._linker = Linker(disk, wall=wall)
        self._left = LeftBehind(disk, wall=wall)
        self._logs: dict[str, Spooled] = {}
        self.hidden: set[str] = set()
        """Keys of the logs that shippers don't see yet."""
        self.closed: set[str] = set()
        """Keys of the logs of which a segment is closed."""
        self.troubled: set[str] = set()
        """Keys of the logs of which a file has no link yet."""
        self._unused = 0
        """No log that was forgotten has had this number, or a higher one; also if the clock is set back."""
        self._told: set[str] = set()
        """Keys of logs whose link is known to be missing."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders in which new logs are kept; none where the spool is switched off."""
        return self._folders

    @property
    def logs(self) -> Mapping[str, Spooled]:
        """What is held of each log."""
        return self._logs

    def use(self, folders: Sequence[Path]) -> None:
        """Keep new logs in these folders from now on; others stay where they are."""
        self._folders = tuple(folders)

    # ------------------------------------------------------------------ what an earlier process left

    def load(self) -> None:
        """Look at what an earlier process has left; a folder that can't be read is told."""
        self._left.load(self._folders, self._logs.values())
        self._unused = max([self._unused, *(self._linker.unused_number(each) for each in self._folders)])

    @property
    def left(self) -> Collection[Spooled]:
        """What an earlier process has left of logs of which nobody has asked yet; their keys are made up."""
        return self._left.logs

    def find(self, key: str, *, place: Place | None, log: Path | None = None) -> Spooled | None:
        """Return what is held of a log, by an earlier process too, which its place or its files tell."""
        known = self._logs.get(key)
        if known is None and (taken := self._left.take(key, place=place, log=log)) is not None:
            known, not_shown = taken
            if not_shown:
                self._linker.show(known, not_shown)
            known = self._without_note(known) if known.shown else known
            self._put(known)
        return known

    def take_overdue(self, seconds: float) -> tuple[Spooled, ...]:
        """Return once what an earlier process has left of logs of which nobody has known for so long."""
        return self._left.take_overdue(seconds)

    def take_twins(self) -> tuple[Spooled, ...]:
        """Return once what an earlier process has linked a second time, before it was killed."""
        return self._left.take_twins()

    # ------------------------------------------------------------------ keeping

    def keep(self, key: str, log: Path, *, place: Place | None = None, note: str = "") -> Spooled:
        """Link what a log has that the spool has not.

        Parameters
        ----------
        log
            the resolved path of its live file.
        place
            where an earlier process may have shown its segments.
        note
            what the next process is to know of it, should it wait for long.

        Raises
        ------
        CannotSpool
            for a log of which nothing could be linked so far.
        """
        known = self.find(key, place=place, log=log)
        known = self._begin(key, log, note) if known is None else self._linker.link_new(known, log)
        self._put(known)
        return known

    def _begin(self, key: str, log: Path, note: str) -> Spooled:
        """Use the first folder in which a link to the log works.

        Numbers begin with the seconds since the epoch: whatever became of earlier ones, none is used again,
        not even where a log was forgotten a moment ago, or was rotated faster than once in a second.
        """
        first = max(int(self._wall()), self._unused)
        obstacles = []
        for spool in self._folders:
            begun = self._linker.link_new(Spooled(key, spool, next_number=first, note=note), log)
            if begun.segments:
                return begun
            obstacles.append(f"{spool}: {begun.trouble or f'there is no {log} to link'}")
        raise CannotSpool("; ".join(obstacles) or "WATCHER_SPOOL_DIR names no folder")

    def note(self, key: str, note: str) -> None:
        """Write anew what the next process is to know of a log that waits; nothing for one that is shown."""
        known = self._logs[key]
        if known.shown or known.note == note:
            return
        try:
            self._linker.note(known, note)
        except OSError as error:
            logger.debug("%s can't be written: %s", known.note_path, explained(error))
        else:
            self._put(attrs.evolve(known, note=note))

    def mend(self, key: str, log: Path) -> None:
        """Make the link of a log's present file again where somebody has removed it.

        It gets the very same name and inode: a shipper goes on where it was. Closed segments are not made
        again: it can't be known that nobody has read them.
        """
        known = self._logs[key]
        if not known.is_open:
            return
        target = known.path(known.segments[-1])
        try:
            was_missing = self._linker.link_again(known, log)
        except FileExistsError:
            self._tell_missing(key, f"{target} is a file of somebody else: move it away")
        except OSError as error:
            self._tell_missing(key, f"{target} is missing and can't be made again: {explained(error)}")
        else:
            if was_missing:
                logger.warning("somebody has removed %s: it is linked again", target)
            self._told.discard(key)

    def _tell_missing(self, key: str, text: str) -> None:
        if key not in self._told:
            logger.warning("%s", text, extra={"event": "segment-missing"})
            self._told.add(key)

    def restate(self, seconds: float) -> None:
        """Move the times at which segments were closed along with a wall clock that somebody has set."""
        self._left.restate(seconds)
        for key, log in self._logs.items():
            self._logs[key] = attrs.evolve(log, segments=moved(log.segments, seconds))

    # ------------------------------------------------------------------ showing and letting go

    def show(self, key: str, place: Place) -> None:
        """Let shippers see what is held of a log, once what they need to know of it is on disk.

        A shipper that gives no account has its time from now on, however long the log has waited.
        """
        known = self._logs[key]
        if known.shown:
            return
        known = attrs.evolve(known, place=known.place or place)
        now = self._wall()
        shown = attrs.evolve(
            known,
            shown=True,
            segments=tuple(
                each if each.closed is None else attrs.evolve(each, closed=now) for each in known.segments
            ),
        )
        try:
            self._linker.show(shown, shown.segments)
        except OSError as error:
            self._put(attrs.evolve(known, trouble=explained(error)))
        else:
            self._put(self._without_note(shown))

    def _without_note(self, log: Spooled) -> Spooled:
        if log.note:
            self._linker.remove_note(log)
        return attrs.evolve(log, note="")

    def close(self, key: str) -> None:
        """Note that a log's container is gone: nothing is written to its last file any more."""
        self._put(self._logs[key].closed_at(self._wall()))

    def forget(self, key: str) -> None:
        """Forget a log, whose segments somebody removes: nobody wants it shipped any more."""
        known = self._logs.pop(key, None)
        if known is not None:
            self._without_note(known)
        if known is not None and known.next_number > self._unused:
            self._unused = known.next_number
            self._linker.note_unused_number(known.spool, self._unused)
        for keys in (self.hidden, self.closed, self.troubled, self._told):
            keys.discard(key)

    def released(self, key: str, numbers: Collection[int]) -> None:
        """Forget segments that are removed; a log of a gone container is forgotten with its last one."""
        known = self._logs.get(key)
        if known is None:
            self._left.released(key, numbers)
            return
        left = tuple(each for each in known.segments if each.number not in numbers)
        if left:
            self._put(attrs.evolve(known, segments=left))
        else:
            self.forget(key)

    def _put(self, log: Spooled) -> None:
        """Take what is held of a log from now on, and where a pass has something to do about it."""
        self._logs[log.key] = log
        standing = (
            (self.hidden, not log.shown),
            (self.closed, log.is_any_closed),
            (self.troubled, bool(log.trouble)),
        )
        for keys, holds in standing:
            if holds:
                keys.add(log.key)
            else:
                keys.discard(log.key)
