"""Keeps one hard link for each file that a log has, from the moment at which the file is seen.

Called by the main thread. The folders are the memory: what has a link there has been spooled, whoever
made it and whenever. Nothing is removed here: `release` decides, `janitor` does.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.segments import (
    WAITING,
    Place,
    is_pod_folder,
    kept_name,
    parse_kept,
    parse_segment,
)
from kube_log_watcher_core.spool.disk import Found, NotTheLog, SpoolDisk
from kube_log_watcher_core.spool.rotation import LogEntry, files_of, rotated_before, unspooled

logger = logging.getLogger(__name__)

TRIES = 5
"""How often a folder is listed for one look: a file may be renamed before it is opened."""

REMEDIES = {
    errno.EXDEV: "a hard link works within one mount only: mount the node's /var/log as one volume, "
    "with the spool below it",
    errno.EPERM: "hard links to files of others need their owner's uid, or the file system has none: "
    "run as root, and put the spool beside the logs",
    errno.EACCES: "the spool can't be written to: run as root",
    errno.EROFS: "mount the spool read-write",
    errno.ENOENT: "create the folder, or mount it into the container",
    errno.ENOTDIR: "a file or a link stands where a folder belongs: move it away",
    errno.ENOSPC: "the file system has no room, or no inode, for one more name",
    errno.EDQUOT: "the quota allows no more",
    errno.EMLINK: "the file has as many links as its file system allows",
}


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
        return self.spool / WAITING / kept_name(_waiting_stem(self.key), segment.number)

    def is_live(self, inode: int) -> bool:
        """Whether the log's live file is the one that was linked last, and nothing is left to do."""
        return self.is_open and self.segments[-1].inode == inode and not self.trouble


class CannotSpool(Exception):
    """A log can't be kept in any folder of the spool: the message tells why, and the remedy."""


class Spool:
    """The folders in which segments lie, and what they hold of each log, by the container's key."""

    def __init__(
        self, folders: Sequence[Path], *, wall: Callable[[], float], disk: SpoolDisk | None = None
    ) -> None:
        self._folders = tuple(folders)
        self._wall = wall
        self._disk = disk or SpoolDisk()
        self._logs: dict[str, Spooled] = {}
        self.hidden: set[str] = set()
        """Keys of the logs that shippers don't see yet."""
        self.closed: set[str] = set()
        """Keys of the logs of which a segment is closed."""
        self.troubled: set[str] = set()
        """Keys of the logs of which a file has no link yet."""
        self._left: dict[Path, list[Segment]] = {}
        self._loaded = wall()
        self._unused = 0
        """No log that was forgotten has had this number, or a higher one."""
        self._told: set[str] = set()
        """Keys of logs whose link is known to be missing."""
        self._written: dict[int, float] = {}
        """When files that are left were written to last, by their inodes."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders in which new logs are kept; none where the spool is switched off."""
        return self._folders

    @property
    def logs(self) -> Mapping[str, Spooled]:
        """What is held of each log."""
        return self._logs

    def load(self) -> None:
        """Look at what an earlier process has left; a folder that can't be read is told."""
        self._loaded = self._wall()
        self._left.clear()
        held = {log.path(each) for log in self._logs.values() for each in log.segments}
        for spool in self._folders:
            try:
                with self._disk.folder(spool) as fd:
                    folders = [
                        name for name in self._disk.names(fd) if is_pod_folder(name) or name == WAITING
                    ]
            except OSError as error:
                logger.warning("the spool %s can't be read: %s", spool, explained(error))
                continue
            for name in folders:
                with contextlib.suppress(OSError), self._disk.folder(spool, name) as fd:
                    found = self._disk.found(fd, self._disk.names(fd))
                    self._load_folder(
                        spool / name, [it for it in found if spool / name / it.name not in held]
                    )

    def _load_folder(self, folder: Path, found: Iterable[Found]) -> None:
        parse = parse_kept if folder.name == WAITING else parse_segment
        for file in sorted(found, key=lambda each: each.name):
            parsed = parse(file.name)
            if parsed is not None:
                stem, number = parsed
                segment = Segment(number, file.inode, closed=min(file.changed, self._wall()))
                self._written[file.inode] = file.written
                self._left.setdefault(folder / stem, []).append(segment)

    def keep(self, key: str, log: Path, *, place: Place | None = None) -> Spooled:
        """Link what a log has that the spool has not.

        Parameters
        ----------
        log
            the resolved path of its live file.
        place
            where an earlier process had its segments, if that is known.

        Raises
        ------
        CannotSpool
            for a log of which nothing could be linked so far.
        """
        known = self._logs.get(key) or self._adopt(key, place, log)
        known = self._begin(key, log) if known is None else self._link_new(known, log)
        self._put(known)
        return known

    def resume(self, key: str, place: Place | None) -> Spooled | None:
        """Take over what an earlier process has of a log whose container is gone; None without any."""
        found = self._logs.get(key) or self._adopt(key, place, None)
        if found is not None:
            self._put(found)
        return found

    def _begin(self, key: str, log: Path) -> Spooled:
        """Use the first folder in which a link to the log works.

        Numbers begin with the seconds since the epoch: whatever became of earlier ones, none is used again,
        not even where a log was forgotten a moment ago, or was rotated faster than once in a second.
        """
        first = max(int(self._wall()), self._unused)
        obstacles = []
        for spool in self._folders:
            begun = self._link_new(Spooled(key, spool, next_number=first), log)
            if begun.segments:
                return begun
            obstacles.append(f"{spool}: {begun.trouble or f'there is no {log} to link'}")
        raise CannotSpool("; ".join(obstacles) or "WATCHER_SPOOL_DIR names no folder")

    def _adopt(self, key: str, place: Place | None, log: Path | None) -> Spooled | None:
        """Return what an earlier process has linked of a log, known by its place or by its files."""
        for spool in self._folders:
            place = place or self._place_in(spool, log)
            shown = None if place is None else self._left.pop(spool / place.folder / place.stem, None)
            kept = self._left.pop(spool / WAITING / _waiting_stem(key), None)
            if shown or kept:
                segments = sorted([*(shown or ()), *(kept or ())], key=lambda each: each.number)
                found = Spooled(
                    key,
                    spool,
                    place,
                    shown=bool(shown),
                    segments=tuple(segments),
                    next_number=segments[-1].number + 1,
                )
                found = attrs.evolve(found, seen=self._seen_before(found.segments[-1], log))
                if shown and kept:  # killed while it showed them: the earlier ones are shown, the later wait
                    self._move(found, kept)
                return found
        return None

    def _seen_before(self, newest: Segment, log: Path | None) -> frozenset[str]:
        """Return what the log's files were rotated as that an earlier process must have seen."""
        if log is None:
            return frozenset()
        try:
            files = files_of(log.name, self._disk.entries(log.parent))
        except OSError:
            return frozenset()
        return rotated_before(
            [file for file in files if file.name != log.name], self._written.pop(newest.inode, self._wall())
        )

    def _place_in(self, spool: Path, log: Path | None) -> Place | None:
        """Return where links to a log's files lie already: while they do, no other file has their inodes."""
        if log is None or not self._left:
            return None
        try:
            inodes = {inode for _, inode in self._disk.entries(log.parent)}
            if self._disk.device(spool) != self._disk.device(log.parent):
                return None
        except OSError:
            return None
        return next(
            (
                Place(path.parent.name, path.name)
                for path, segments in self._left.items()
                if path.parent.parent == spool and path.parent.name != WAITING
                if any(segment.inode in inodes for segment in segments)
            ),
            None,
        )

    def _link_new(self, known: Spooled, log: Path) -> Spooled:
        """Link what is new, in order; what can't be linked is the trouble of the log, and is tried again."""
        tries_left = TRIES
        while tries_left:
            tries_left -= 1
            try:
                files = files_of(log.name, self._disk.entries(log.parent))
                new = unspooled(files, {each.inode for each in known.segments}, seen=known.seen)
                for file in new.files:
                    known = self._link(known, log.parent, file)
            except (NotTheLog, FileNotFoundError, FileExistsError) as error:
                if isinstance(error, FileExistsError):  # a number that somebody used whom we know nothing of
                    known = attrs.evolve(known, next_number=known.next_number + 1)
                known = attrs.evolve(known, trouble=explained(error))
            except OSError as error:
                return attrs.evolve(known, trouble=explained(error))
            else:
                for file in new.compressed:
                    text = "%s was compressed before it could be kept: it is not shipped"
                    logger.warning(text, log.parent / file.name)
                is_live = files and known.segments and files[-1].inode == known.segments[-1].inode
                return attrs.evolve(
                    known,
                    segments=_opened(known.segments) if is_live else known.segments,
                    seen=frozenset(file.rotated_as for file in files if file.name != log.name),
                    trouble="",
                )
        return known

    def _link(self, known: Spooled, folder: Path, file: LogEntry) -> Spooled:
        segment = Segment(known.next_number, file.inode)
        target = known.path(segment)
        with (
            self._disk.log(folder, file.name, file.inode) as source,
            self._disk.folder(known.spool, target.parent.name, make=True) as fd,
        ):
            self._disk.link(source, fd, target.name)
        logger.debug("%s is kept as %s", folder / file.name, target)
        return attrs.evolve(
            known, segments=(*_closed(known.segments, self._wall()), segment), next_number=segment.number + 1
        )

    def mend(self, key: str, log: Path) -> None:
        """Make the link of a log's present file again where somebody has removed it.

        It gets the very same name and inode: a shipper goes on where it was. Closed segments are not made
        again: it can't be known that nobody has read them.
        """
        known = self._logs[key]
        if not known.is_open:
            return
        segment = known.segments[-1]
        target = known.path(segment)
        try:
            with self._disk.folder(known.spool, target.parent.name, make=True) as fd:
                there = self._disk.found(fd, [target.name])
                if not there:
                    files = self._disk.entries(log.parent)
                    name = next((name for name, inode in files if inode == segment.inode), log.name)
                    with self._disk.log(log.parent, name, segment.inode) as source:
                        self._disk.link(source, fd, target.name)
        except OSError as error:
            self._tell_missing(key, f"{target} is missing and can't be made again: {explained(error)}")
            return
        if not there:
            logger.warning("somebody has removed %s: it is linked again", target)
        elif there[0].inode != segment.inode:
            self._tell_missing(key, f"{target} is a file of somebody else: move it away")
            return
        self._told.discard(key)

    def _tell_missing(self, key: str, text: str) -> None:
        if key not in self._told:
            logger.warning("%s", text, extra={"event": "segment-missing"})
            self._told.add(key)

    def restate(self, seconds: float) -> None:
        """Move the times at which segments were closed along with a wall clock that somebody has set."""
        self._loaded += seconds
        for key, log in self._logs.items():
            self._logs[key] = attrs.evolve(log, segments=_moved(log.segments, seconds))
        self._left = {path: list(_moved(segments, seconds)) for path, segments in self._left.items()}

    def take_overdue(self, seconds: float) -> tuple[Path, ...]:
        """Return once what an earlier process has left of logs of which nobody has known for so long."""
        now = self._wall()
        if not self._left or now - self._loaded < seconds:
            return ()
        left, self._left = self._left, {}
        return tuple(
            path.with_name(
                kept_name(path.name, each.number)
                if path.parent.name == WAITING
                else Place(path.parent.name, path.name).segment(each.number)
            )
            for path, segments in left.items()
            for each in segments
        )

    def use(self, folders: Sequence[Path]) -> None:
        """Keep new logs in these folders from now on; others stay where they are."""
        self._folders = tuple(folders)

    def show(self, key: str, place: Place) -> None:
        """Let shippers see what is held of a log, once what they need to know of it is on disk."""
        known = self._logs[key]
        if known.shown:
            return
        known = attrs.evolve(known, place=known.place or place)
        try:
            self._move(attrs.evolve(known, shown=True), known.segments)
        except OSError as error:
            self._put(attrs.evolve(known, trouble=explained(error)))
        else:
            self._put(attrs.evolve(known, shown=True))

    def _move(self, shown: Spooled, segments: Iterable[Segment]) -> None:
        """Rename what waits, oldest first; who was killed here before has shown the first of them already."""
        waiting = attrs.evolve(shown, shown=False)
        with (
            self._disk.folder(shown.spool, WAITING) as source,
            self._disk.folder(shown.spool, shown.path(shown.segments[0]).parent.name, make=True) as fd,
        ):
            for segment in segments:
                with contextlib.suppress(FileNotFoundError):
                    self._disk.show(source, waiting.path(segment).name, fd, shown.path(segment).name)

    def close(self, key: str) -> None:
        """Note that a log's container is gone: nothing is written to its last file any more."""
        known = self._logs[key]
        self._put(attrs.evolve(known, segments=_closed(known.segments, self._wall())))

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

    def forget(self, key: str) -> None:
        """Forget a log, whose segments somebody removes: nobody wants it shipped any more."""
        known = self._logs.pop(key, None)
        if known is not None:
            self._unused = max(self._unused, known.next_number)
        for keys in (self.hidden, self.closed, self.troubled, self._told):
            keys.discard(key)

    def released(self, key: str, numbers: Collection[int]) -> None:
        """Forget segments that are removed; a log of a gone container is forgotten with its last one."""
        known = self._logs[key]
        left = tuple(each for each in known.segments if each.number not in numbers)
        if left:
            self._put(attrs.evolve(known, segments=left))
        else:
            self.forget(key)


def _closed(segments: Sequence[Segment], now: float) -> tuple[Segment, ...]:
    """Close the segment that was written to so far."""
    if not segments or segments[-1].closed is not None:
        return tuple(segments)
    return (*segments[:-1], attrs.evolve(segments[-1], closed=now))


def _opened(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Open the last segment again: an earlier process, or its end, had it closed."""
    return (*segments[:-1], attrs.evolve(segments[-1], closed=None))


def _moved(segments: Iterable[Segment], seconds: float) -> tuple[Segment, ...]:
    return tuple(
        each if each.closed is None else attrs.evolve(each, closed=each.closed + seconds) for each in segments
    )


def _waiting_stem(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def explained(error: OSError) -> str:
    """Return what went wrong, with the remedy where there is one."""
    remedy = REMEDIES.get(error.errno or 0)
    text = error.strerror or str(error)
    return f"{text}: {remedy}" if remedy else text
