"""Links what is new of a log, in order, and shows what has waited."""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.segments import WAITING
from kube_log_watcher_core.spool.disk import NotTheLog, SpoolDisk
from kube_log_watcher_core.spool.rotation import LogEntry, files_of, is_overtaken, unspooled
from kube_log_watcher_core.spool.spooled import Segment, Spooled

logger = logging.getLogger(__name__)

TRIES = 5
"""How often a folder is listed for one look: a file may be renamed before it is opened."""

NUMBERS = ".numbers"
"""An empty file in the spool. Numbers begin as seconds, so its time tells up to which they were used."""

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


class Linker:
    """Makes links, and the notes beside those that wait."""

    def __init__(self, disk: SpoolDisk, *, wall: Callable[[], float]) -> None:
        self._disk = disk
        self._wall = wall

    def link_new(self, known: Spooled, log: Path) -> Spooled:
        """Link what is new, in order; what can't be linked is the trouble of the log, and is tried again."""
        tries_left = TRIES
        while tries_left:
            tries_left -= 1
            try:
                files = files_of(log.name, self._disk.entries(log.parent))
                held = {each.inode for each in known.segments}
                earlier = self._written_before(known, log, files) if is_overtaken(files, held) else ()
                new = unspooled(files, held, earlier=earlier, seen=known.seen)
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
                if files and known.segments and files[-1].inode == known.segments[-1].inode:
                    known = known.opened()
                seen = frozenset(file.rotated_as for file in files if file.name != log.name)
                return attrs.evolve(known, seen=seen, trouble="")
        return known

    def _written_before(self, known: Spooled, log: Path, files: Sequence[LogEntry]) -> frozenset[int]:
        """Return the inodes of rotated files that were written to last before the newest that is held was."""
        paths = [known.path(each) for each in known.segments]
        with self._disk.folder(known.spool, paths[-1].parent.name) as fd:
            held = self._disk.found(fd, [path.name for path in paths])
        with self._disk.folder(log.parent) as fd:
            rotated = self._disk.found(fd, [file.name for file in files if file.name != log.name])
        newest = max((each.written for each in held), default=0.0)
        return frozenset(each.inode for each in rotated if each.written < newest)

    def _link(self, known: Spooled, folder: Path, file: LogEntry) -> Spooled:
        segment = Segment(known.next_number, file.inode)
        target = known.path(segment)
        # Whose it is comes first: a file that is kept is never one of which nobody knows.
        note = known.note if not known.segments else ""
        with (
            self._disk.log(folder, file.name, file.inode) as source,
            self._disk.folder(known.spool, target.parent.name, make=True) as fd,
        ):
            if note:
                self._disk.write_note(fd, known.note_path.name, note)
            try:
                self._disk.link(source, fd, target.name)
            except OSError:
                if note:
                    self._disk.remove(fd, known.note_path.name)
                raise
        logger.debug("%s is kept as %s", folder / file.name, target)
        return known.with_segment(segment, self._wall())

    def link_again(self, known: Spooled, log: Path) -> bool:
        """Make the link of a log's present file anew if it is missing; return whether it was.

        Raises
        ------
        FileExistsError
            when somebody else's file lies there.
        OSError
            when it can't be made.
        """
        segment = known.segments[-1]
        target = known.path(segment)
        with self._disk.folder(known.spool, target.parent.name, make=True) as fd:
            there = self._disk.found(fd, [target.name])
            if there and there[0].inode != segment.inode:
                raise FileExistsError(f"{target} is a file of somebody else")
            if not there:
                files = self._disk.entries(log.parent)
                name = next((name for name, inode in files if inode == segment.inode), log.name)
                with self._disk.log(log.parent, name, segment.inode) as source:
                    self._disk.link(source, fd, target.name)
        return not there

    def note(self, known: Spooled, note: str) -> None:
        """Write anew whose a log is that waits. Raises `OSError`."""
        with self._disk.folder(known.spool, WAITING) as fd:
            self._disk.write_note(fd, known.note_path.name, note)

    def remove_note(self, known: Spooled) -> None:
        """Remove the note of a log that waits no more; one that stays is of nothing, and harms nobody."""
        with contextlib.suppress(OSError), self._disk.folder(known.spool, WAITING) as fd:
            self._disk.remove(fd, known.note_path.name)

    def note_unused_number(self, spool: Path, number: int) -> None:
        """Note for the next process which number no log has had: the wall clock may be set back."""
        with contextlib.suppress(OSError):
            self._disk.mark(spool, NUMBERS, number)

    def unused_number(self, spool: Path) -> int:
        """Return the number that an earlier process has noted."""
        return self._disk.marked(spool, NUMBERS)

    def show(self, shown: Spooled, segments: Iterable[Segment]) -> None:
        """Rename what waits, oldest first; who was killed here before has shown the first of them already.

        Raises `OSError`.
        """
        waiting = attrs.evolve(shown, shown=False)
        with (
            self._disk.folder(shown.spool, WAITING) as source,
            self._disk.folder(shown.spool, shown.path(shown.segments[0]).parent.name, make=True) as fd,
        ):
            for segment in segments:
                with contextlib.suppress(FileNotFoundError):
                    self._disk.show(source, waiting.path(segment).name, fd, shown.path(segment).name)


def explained(error: OSError) -> str:
    """Return what went wrong, with the remedy where there is one."""
    remedy = REMEDIES.get(error.errno or 0)
    text = error.strerror or str(error)
    return f"{text}: {remedy}" if remedy else text
