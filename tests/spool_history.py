"""A node whose logs are rotated by their rules, a shipper that reads segments, and the spool between them.

Each file has a number as its content, so that a link tells of which file it is, whatever its name and inode
say.
"""

from __future__ import annotations

import gzip
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import attrs

from kube_log_watcher_core import BaseAgent, Progress
from kube_log_watcher_core.agents.readings import Readings
from kube_log_watcher_core.models import Container, Layout, LogFile, LogTarget, Obstacle, Reason, Skipped
from kube_log_watcher_core.resolve import Rules
from kube_log_watcher_core.resolve.target import make_target
from kube_log_watcher_core.spool import Chores, Janitor, Spool, SpoolKeeper, SpoolRules, Swept
from kube_log_watcher_core.spool.disk import Found, SpoolDisk
from kube_log_watcher_testing.factories import NODE, container_id, make_pod
from support import wait_until

SECONDS = 900.0
RULES = SpoolRules(seconds=SECONDS, min_free_percent=0)
TIGHT = SpoolRules(seconds=SECONDS, max_bytes=0, min_free_percent=0)
MOST_ROTATED = 4
"""Files that the runtime leaves beside the live one."""


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL; what is on the disk is all that is left."""


class Clocks:
    """The node's clocks, which go on when they are told to, and what they showed when a file was changed."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker
        self._elapsed = 0.0
        self._set_by = 1_800_000_000.0
        self._parts: list[tuple[float, float]] = []
        """Until when, by the real clock, the wall clock showed what."""

    def elapsed(self) -> float:
        """Give seconds that only grow."""
        return self._elapsed

    def wall(self) -> float:
        """Give the seconds since the epoch."""
        return self._elapsed + self._set_by

    def go_on(self, seconds: float) -> None:
        """Let time pass."""
        self._part()
        self._elapsed += seconds

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock, forth or back."""
        self._part()
        self._set_by += seconds

    def at(self, changed: float) -> float:
        """Give what the wall clock showed when a file was changed, by the real one."""
        return next((shown for until, shown in self._parts if changed <= until), self.wall())

    def _part(self) -> None:
        """See to it that the file system's clock tells what was changed so far from what will be."""
        until = self._touched()
        self._parts.append((until, self.wall()))
        wait_until(lambda: self._touched() > until, what="the next tick of the file system's clock")

    def _touched(self) -> float:
        self._marker.touch()
        return self._marker.stat().st_mtime


@attrs.define
class MortalDisk(SpoolDisk):
    """A disk with the node's clocks, at one of whose changes the process is killed."""

    clocks: Clocks
    changes_left: int | None = None

    def found(self, fd: int, names: list[str]) -> list[Found]:  # type: ignore[override]
        """Look at files, with the times that the node's clock showed."""
        return [
            attrs.evolve(each, written=self.clocks.at(each.written), changed=self.clocks.at(each.changed))
            for each in super().found(fd, names)
        ]

    def _change(self) -> None:
        if self.changes_left is not None:
            self.changes_left -= 1
            if self.changes_left < 0:
                raise Killed

    def link(self, file: int, fd: int, name: str) -> None:
        """Link, or be killed."""
        self._change()
        super().link(file, fd, name)

    def write_note(self, fd: int, name: str, text: str) -> None:
        """Write a note, or be killed."""
        self._change()
        super().write_note(fd, name, text)

    def show(self, waiting: int, kept: str, fd: int, name: str) -> None:
        """Show, or be killed."""
        self._change()
        super().show(waiting, kept, fd, name)

    def remove(self, fd: int, name: str) -> None:
        """Remove, or be killed."""
        self._change()
        super().remove(fd, name)

    def remove_folder(self, path: Path, name: str) -> None:
        """Remove a folder, or be killed."""
        self._change()
        super().remove_folder(path, name)


@attrs.define(eq=False)
class File:
    """One file that a log has had, for good: inodes and names come again."""

    number: int
    log: Log = attrs.field(repr=False)
    path: Path | None
    """Where the runtime has it, uncompressed."""
    ended: float | None = None
    """When the log went on, by elapsed time."""
    let_go: bool = False
    """Whether the spool has had it, and had a reason to remove it."""
    taken: bool = False
    """Whether somebody has removed its link."""

    @property
    def text(self) -> str:
        """What is in it at first."""
        return f"{self.number} begins\n"


@attrs.define(eq=False)
class Log:
    """A container's log, and what the API shows of its pod."""

    number: int
    layout: Layout
    key: str
    """The container's."""
    path: Path
    compresses: bool
    """Whether the runtime compresses what it has rotated."""
    files: list[File] = attrs.field(factory=list, repr=False)
    pod: str = "unknown"
    """Or ``known``, or ``excluded``."""
    is_there: bool = True
    """Whether the container has a folder."""
    is_ready: bool = True
    """Whether an agent that gates has written what its shipper must know."""
    stamped: str = ""
    """The latest time in a name."""
    forgotten: float | None = None
    """When a process began that could not know of it any more, by elapsed time."""

    @property
    def live(self) -> File | None:
        """The file that is written to."""
        return next((each for each in reversed(self.files) if each.path == self.path), None)

    @property
    def container(self) -> Container:
        """The container as discovery finds it."""
        live = self.live
        return Container(
            key=self.key,
            id=container_id(self.number),
            layout=self.layout,
            name="main",
            pod_name=f"pod-{self.number}",
            namespace="default",
            pod_uid=f"uid-{self.number}",
            log_path=self.path if live else None,
            inode=self.path.stat().st_ino if live else None,
            obstacle=None if live else Obstacle(Reason.NO_LOG),
        )

    def visible(self) -> Iterator[File]:
        """Give the files that are in its folder uncompressed."""
        return (each for each in self.files if each.path is not None)


class Node:
    """Logs below a folder, each with files that carry their numbers."""

    def __init__(self, root: Path, clocks: Clocks) -> None:
        self._root = root
        self._clocks = clocks
        self.logs: list[Log] = []
        self.files: list[File] = []

    def add(self, layout: Layout, *, compresses: bool) -> Log:
        """Let a container start."""
        number = len(self.logs) + 1
        identity = container_id(number)
        if layout is Layout.CRI:
            key = f"default/pod-{number}/uid-{number}/main/0"
            path = self._root / f"default_pod-{number}_uid-{number}" / "main" / "0.log"
        else:
            key, path = identity, self._root / identity / f"{identity}-json.log"
        log = Log(number, layout, key, path, compresses)
        path.parent.mkdir(parents=True)
        self.logs.append(log)
        self._begin(log)
        return log

    def _begin(self, log: Log) -> None:
        file = File(len(self.files), log, log.path)
        self.files.append(file)
        log.files.append(file)
        log.path.write_text(file.text)

    def write(self, log: Log) -> None:
        """Write a line."""
        if log.live:
            with log.path.open("a") as live:
                live.write("a line\n")

    def rotate(self, log: Log) -> bool:
        """Do as the runtime does; tell whether the names are in order: not where the clock was set back."""
        live = log.live
        if live is None:
            return True
        self._clocks.go_on(1)
        rotated = [each for each in log.visible() if each is not live]
        in_order = True
        if log.layout is Layout.CRI:
            if log.compresses:
                for each in rotated:
                    self._compress(each)
            stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(self._clocks.wall()))
            in_order, log.stamped = stamp > log.stamped, max(stamp, log.stamped)
            live.path = log.path.rename(f"{log.path}.{stamp}")
        else:
            for age in range(MOST_ROTATED, 0, -1):
                for ending in ("", ".gz"):
                    path = Path(f"{log.path}.{age}{ending}")
                    if path.exists():
                        self._rename(log, path, Path(f"{log.path}.{age + 1}{ending}"))
            live.path = log.path.rename(f"{log.path}.1")
            if log.compresses:
                self._compress(live)
        live.ended = self._clocks.elapsed()
        self._begin(log)
        self._remove_excess(log)
        return in_order

    @staticmethod
    def _rename(log: Log, old: Path, new: Path) -> None:
        for each in log.files:
            if each.path == old:
                each.path = new
        old.rename(new)

    @staticmethod
    def _compress(file: File) -> None:
        if file.path is not None:
            Path(f"{file.path}.gz").write_bytes(gzip.compress(file.path.read_bytes()))
            file.path.unlink()
            file.path = None

    def _remove_excess(self, log: Log) -> None:
        rotated = [each for each in log.visible() if each.path != log.path]
        for each in rotated[:-MOST_ROTATED]:
            if each.path is not None:
                each.path.unlink()
                each.path = None

    def lose(self, log: Log) -> None:
        """Remove a log's files, not yet its folder."""
        for each in log.files:
            each.ended = each.ended or self._clocks.elapsed()
            each.path = None
        for path in log.path.parent.iterdir():
            path.unlink()

    def end(self, log: Log) -> None:
        """Remove all that a container has left."""
        self.lose(log)
        shutil.rmtree(log.path.parent)
        log.is_there = False


class Shipper(BaseAgent[None]):
    """Reads what it sees, and tells how far it has come by path and inode, if it tells anything."""

    name = "shipper"

    def __init__(self, clocks: Clocks) -> None:
        super().__init__(None, NODE)
        self._clocks = clocks
        self.tells = True
        self._read: dict[tuple[Path, int], Progress] = {}

    def sync(self, targets: object) -> None:
        """Need no configuration."""

    def read(self, path: Path) -> None:
        """Read a segment to its end."""
        status = path.stat()
        self._read[path, status.st_ino] = Progress(status.st_size, self._clocks.wall())

    def has_read(self, path: Path, inode: int) -> int:
        """Give how much it has read of a file under a name."""
        progress = self._read.get((path, inode))
        return 0 if progress is None else progress.read_bytes

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        """Give an account."""
        nothing = Progress(0, self._clocks.wall())
        return self._read.get((file.path, file.inode or 0), nothing) if self.tells else None


class Process:
    """The spool's part of one life of the watcher."""

    def __init__(
        self,
        spool: Path,
        left: tuple[LogTarget, ...],
        *,
        root: Path,
        clocks: Clocks,
        disk: MortalDisk,
        shipper: Shipper,
    ) -> None:
        self._clocks = clocks
        self._disk = disk
        self._shipper = shipper
        kept = Spool([spool], wall=clocks.wall, disk=disk)
        kept.load()
        self.keeper = SpoolKeeper(
            kept, left, wall=clocks.wall, clock=clocks.elapsed, rules=RULES, roots=[root]
        )
        self.targets = left
        """What the state file holds."""
        self._readings = Readings("shipper", shipper)
        self._found: tuple[Container, ...] = ()
        self.chores: Chores | None = None
        """What the janitor has been given to do."""
        self.swept: Swept | None = None

    def look(self, logs: list[Log], *, full: bool, rules: SpoolRules) -> None:
        """Do one pass, as the daemon does."""
        self._take_swept()
        self.keeper.rules = rules
        self.keeper.mind_the_clock()
        found = tuple(log.container for log in logs if log.is_there)
        if [(each, each.inode) for each in found] != [(each, each.inode) for each in self._found]:
            self._found = found
        going_on = self.keeper.keep(self._found)
        if full:
            self.keeper.mend(self._found)
        targets, skipped = self._resolve(logs, going_on)
        if self.keeper.is_wanted_again(targets):
            targets, skipped = self._resolve(logs, self.keeper.keep(self._found))
        self.targets = targets
        self.keeper.settle(targets, skipped, ready={log.key for log in logs if log.is_ready})
        if self.chores is None:
            self.chores = self.keeper.chores(self._readings.done, self._readings.read_bytes)
        self._readings.look(
            {each.container.key: each for each in targets},
            self.keeper.closed(),
            rules,
            now=self._clocks.wall(),
        )

    @staticmethod
    def _resolve(
        logs: list[Log], containers: tuple[Container, ...]
    ) -> tuple[tuple[LogTarget, ...], tuple[Skipped, ...]]:
        pods = {log.key: log.pod for log in logs}
        targets, skipped = [], []
        for each in containers:
            pod = pods[each.key]
            if each.obstacle is not None:
                skipped.append(Skipped(each, each.obstacle.reason))
            elif pod == "known":
                targets.append(make_target(each.id or "", each, make_pod(each), Rules(node=NODE)))
            else:
                skipped.append(Skipped(each, Reason.EXCLUDED if pod == "excluded" else Reason.POD_UNKNOWN))
        return tuple(targets), tuple(skipped)

    def sweep(self) -> None:
        """Let the janitor do what it was given to do."""
        if self.chores is not None and self.swept is None:
            self.swept = Janitor(self._disk).sweep(self.chores)

    def _take_swept(self) -> None:
        if self.swept is not None:
            self.keeper.swept(self.swept)
            self.chores = self.swept = None
