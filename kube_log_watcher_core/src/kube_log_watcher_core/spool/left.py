"""What an earlier process has left in the spool's folders, until it is known whose it is."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.segments import (
    WAITING,
    Place,
    is_pod_folder,
    parse_kept,
    parse_note,
    parse_segment,
)
from kube_log_watcher_core.spool.disk import Found, SpoolDisk
from kube_log_watcher_core.spool.linking import explained
from kube_log_watcher_core.spool.rotation import files_of, rotated_before
from kube_log_watcher_core.spool.spooled import Segment, Spooled, moved, waiting_stem

logger = logging.getLogger(__name__)


class LeftBehind:
    """The files of logs of which nobody has asked yet, as logs whose keys are where they lie."""

    def __init__(self, disk: SpoolDisk, *, wall: Callable[[], float]) -> None:
        self._disk = disk
        self._wall = wall
        self._logs: dict[Path, Spooled] = {}
        """By the pod's folder, or that of what waits, and how their names begin."""
        self._folders: tuple[Path, ...] = ()
        self._twins: list[Spooled] = []
        self._loaded = wall()
        self._written: dict[int, float] = {}
        """When files were written to last, by their inodes."""

    @property
    def logs(self) -> Collection[Spooled]:
        """All of them."""
        return self._logs.values()

    # ------------------------------------------------------------------ finding

    def load(self, folders: Iterable[Path], known: Collection[Spooled]) -> None:
        """Look at what is there, but not at what is known; a folder that can't be read is told."""
        self._loaded = self._wall()
        self._logs.clear()
        self._folders = tuple(folders)
        held = {log.path(each) for log in known for each in log.segments}
        held |= {log.note_path for log in known if not log.shown}
        for spool in self._folders:
            try:
                with self._disk.folder(spool) as fd:
                    names = [name for name in self._disk.names(fd) if is_pod_folder(name) or name == WAITING]
            except OSError as error:
                logger.warning("the spool %s can't be read: %s", spool, explained(error))
                continue
            for name in names:
                with contextlib.suppress(OSError), self._disk.folder(spool, name) as fd:
                    inside = [each for each in self._disk.names(fd) if spool / name / each not in held]
                    self._load_folder(spool / name, self._disk.found(fd, inside))
                    if name == WAITING:
                        self._load_notes(spool / name, fd, inside)
                    elif not inside:  # of one who was killed between the last segment and its folder
                        self._disk.remove_folder(spool, name)

    def _load_folder(self, folder: Path, found: Iterable[Found]) -> None:
        parse = parse_kept if folder.name == WAITING else parse_segment
        by_stem: dict[str, list[Segment]] = {}
        for file in found:
            parsed = parse(file.name)
            if parsed is not None:
                stem, number = parsed
                segment = Segment(number, file.inode, closed=min(file.changed, self._wall()))
                self._written[file.inode] = file.written
                by_stem.setdefault(stem, []).append(segment)
        for stem, segments in by_stem.items():
            ordered = tuple(sorted(segments, key=lambda each: each.number))
            left = Spooled(str(folder / stem), folder.parent, segments=ordered, stem=stem)
            if folder.name != WAITING:
                left = attrs.evolve(left, place=Place(folder.name, stem), shown=True)
            self._logs[folder / stem] = left

    def _load_notes(self, folder: Path, fd: int, names: Iterable[str]) -> None:
        for name in names:
            stem = parse_note(name)
            if stem is None:
                continue
            log = self._logs.get(folder / stem)
            with contextlib.suppress(OSError):  # a link, a folder: what somebody else has put there
                # Left by one who was killed while it wrote the note, or before it had removed it.
                if log is None or name != log.note_path.name:
                    self._disk.remove(fd, name)
                else:
                    self._logs[folder / stem] = attrs.evolve(log, note=self._disk.read_note(fd, name))

    # ------------------------------------------------------------------ adopting

    def take(
        self, key: str, *, place: Place | None, log: Path | None
    ) -> tuple[Spooled, Sequence[Segment]] | None:
        """Return what is there of a log, known by its place or by its files, and what of it is not shown yet.

        The latter is not empty where its process was killed while it showed them.
        """
        for spool in self._folders if self._logs else ():
            is_there = place is not None and _beginning(spool, place) in self._logs
            shown_at = place if is_there else self._place_in(spool, log)
            all_shown = None if shown_at is None else self._logs.pop(_beginning(spool, shown_at))
            all_kept = self._logs.pop(spool / WAITING / waiting_stem(key), None)
            shown = self._without_twins(Spooled(key, spool, shown_at, shown=True), all_shown, all_kept)
            kept = self._without_twins(Spooled(key, spool), all_kept, all_shown)
            if shown or kept:
                segments = sorted([*shown, *kept], key=lambda each: each.number)
                found = Spooled(
                    key,
                    spool,
                    shown_at or (None if log else place),  # what waits gets its place when it is shown
                    shown=bool(shown),
                    segments=tuple(segments),
                    next_number=segments[-1].number + 1,
                    seen=self._seen_before(segments[-1], log),
                    note="" if all_kept is None else all_kept.note,
                )
                return found, kept if shown else ()
        return None

    def _without_twins(
        self, log: Spooled, found: Spooled | None, others: Spooled | None
    ) -> Sequence[Segment]:
        """Return the segments of which no file has a later link.

        A file has two where nobody wanted its log, then somebody did, and the process was killed before the
        janitor had removed the first.
        """
        own, rest = (() if each is None else each.segments for each in (found, others))
        latest = {each.inode: each.number for each in sorted([*own, *rest], key=lambda each: each.number)}
        twins = tuple(each for each in own if latest[each.inode] != each.number)
        if twins:
            self._twins.append(attrs.evolve(log, segments=twins))
        return [each for each in own if each not in twins]

    def take_twins(self) -> tuple[Spooled, ...]:
        """Return once the links of files that have a later one."""
        twins, self._twins = tuple(self._twins), []
        return twins

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
        if log is None or not self._logs:
            return None
        try:
            inodes = {inode for _, inode in self._disk.entries(log.parent)}
            if self._disk.device(spool) != self._disk.device(log.parent):
                return None
        except OSError:
            return None
        return next(
            (
                left.place
                for left in self._logs.values()
                if left.spool == spool and left.shown
                if any(segment.inode in inodes for segment in left.segments)
            ),
            None,
        )

    # ------------------------------------------------------------------ giving up

    def restate(self, seconds: float) -> None:
        """Move the times along with a wall clock that somebody has set."""
        self._loaded += seconds
        self._logs = {
            path: attrs.evolve(log, segments=moved(log.segments, seconds)) for path, log in self._logs.items()
        }

    def released(self, key: str, numbers: Collection[int]) -> None:
        """Forget segments that are removed."""
        log = self._logs.get(Path(key))
        if log is not None:
            left = tuple(each for each in log.segments if each.number not in numbers)
            self._logs[Path(key)] = attrs.evolve(log, segments=left)
            if not left:
                del self._logs[Path(key)]

    def take_overdue(self, seconds: float) -> tuple[Spooled, ...]:
        """Return once the logs of which nobody has known for so long."""
        if not self._logs or self._wall() - self._loaded < seconds:
            return ()
        logs, self._logs = tuple(self._logs.values()), {}
        return logs


def _beginning(spool: Path, place: Place) -> Path:
    return spool / place.folder / place.stem
