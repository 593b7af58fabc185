"""What an agent is: it makes its shipper's configuration match a list of targets."""

from __future__ import annotations

import abc
import os
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import attrs

from kube_log_watcher_core.errors import AgentConfigError
from kube_log_watcher_core.files import Change, Disk, DryDisk, File, Item, Mirror, Owned, part_about
from kube_log_watcher_core.models import LogFile, LogTarget, NodeContext, Objection, Progress

SettingsT = TypeVar("SettingsT")
T = TypeVar("T")

MOST_TIMES = 1000
"""So often an agent is called by a command that looks once."""


@attrs.frozen
class Pacing:
    """How gently a shipper's configuration is changed, for one that each change disturbs."""

    pause_seconds: float = 0.0
    """Least time between two syncs that bring something new. The first after quiet never waits."""
    hold_seconds: float = 0.0
    """How long a change waits after a log is gone, unless `BaseAgent.read_up_to` tells that it was read.

    For a shipper that loses what it has not read of gone logs when its configuration changes.
    """


class BaseAgent(abc.ABC, Generic[SettingsT]):
    """Hands the targets on to one shipper.

    An agent lives in one thread of its own: its methods are never called concurrently. It may raise
    anything; then it alone is tried again, with the latest targets. An `AgentError` is reported by
    its message, anything else with a traceback.
    """

    settings_class: ClassVar[type]
    """An attrs class of `setting` fields, which the core reads and checks."""

    name: ClassVar[str] = ""
    """Needed for ``--extra-agent`` only: an installed agent has the name of its entry point."""

    def __init__(self, settings: SettingsT, node: NodeContext) -> None:
        self.settings = settings
        self.node = node

    annotations: ClassVar[tuple[str, ...]] = ()
    """What pods may ask of it: the names of annotations after ``kubernetes-log-watcher/``.

    For the pods' authors: where one of theirs is nearly such a name, they are told what it should be.
    """

    gates: ClassVar[bool] = False
    """Whether its shipper finds logs by itself, by one pattern over the whole spool.

    Then a log waits out of the shipper's sight until `ready` names it, so that nothing is shipped without its
    labels, and nothing that is excluded. A shipper whose configuration names each log needs none of that.
    """

    awaits_shipper: ClassVar[bool] = False
    """Whether it names no log in `ready` before its shipper itself has answered.

    For what has no shippers, as the demo: such an agent would wait for ever there.
    """

    @abc.abstractmethod
    def sync(self, targets: Sequence[LogTarget]) -> float | None:
        """Make the configuration match: all targets there are, sorted by id.

        What is not among them is no longer followed. To be called again with the same list changes
        nothing, but puts right what somebody else has changed: that call comes with every full pass.

        Returns
        -------
        float | None
            in how many seconds to call it again although nothing has changed, where something is left to
            do; None, as nearly always, when all is done.
        """

    def check(self) -> None:
        """Look whether the agent can work here, without changing anything.

        Raises
        ------
        AgentConfigError
            when it can't: a folder is missing, say. The message tells the remedy.
        """

    def prepare(self) -> None:
        """Make sure that the shipper can start, before any target is known; never remove anything."""

    @property
    def pacing(self) -> Pacing:
        """How gently the configuration is changed: not at all, for most shippers are not disturbed by it."""
        return Pacing()

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        """Return how far the shipper has read a file of a log; None when nobody knows.

        It is asked about files that nothing is written to any more: segments of the spool, by path and
        inode, and without the spool logs that are gone from the disk; and for ``kube-log-watcher explain``.
        Evidence only decides how long such a file stays where its shipper finds it: without any it is
        ``WATCHER_SPOOL_SECONDS``, without the spool ``WATCHER_DRAIN_SECONDS``. A shipper that gives
        accounts, and has none of this file yet, has read nothing of it: say so, or it goes by that time.
        """
        return None

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        """Return the targets whose logs the shipper may see, of an agent that `gates`.

        It is asked after each `sync`, about the same targets: all of them, as a rule, since what the shipper
        looks up about them is in place. One may have to wait longer, say until the shipper has taken
        that up, or while another pod's log still has its name. A log that was shown once stays so.
        """
        return targets

    def objections(self) -> Iterable[Objection]:
        """Return what pods ask for and don't get: logs that are held, and parts that are left out.

        It is asked after each `sync`, about the targets of that. They are logged once, and told by
        ``explain``, ``status``, metrics and Events. An agent that can't do what a pod asks for where that
        is more than a wish, as a redaction, holds the log: it is not to be shipped, and must say so here.
        """
        return ()

    def describe(self, target: LogTarget) -> Sequence[Item]:
        """Tell people what stands on the disk about a target, for ``kube-log-watcher explain``.

        A file may have only that part of its content. Without an answer nothing is shown.
        """
        return ()

    def close(self) -> None:
        """Let go of resources. The configuration stays on disk: the shipper works on without us."""


class FileAgent(BaseAgent[SettingsT]):
    """An agent whose shipper reads files: say which, and the rest is done.

    Only what differs is written, through a temporary file in the same folder; then whatever is
    `owned` and no longer rendered is removed.
    """

    def __init__(self, settings: SettingsT, node: NodeContext) -> None:
        super().__init__(settings, node)
        self._mirror = Mirror()
        self._made: dict[Callable[[LogTarget], object], dict[LogTarget, Any]] = {}
        self._made_before = self._made
        self._handed: tuple[LogTarget, ...] | None = None

    is_rehearsal = False
    """Whether it works on another disk than its shipper reads: nothing may be asked of the shipper then."""

    def use_disk(self, disk: Disk) -> None:
        """Work on another disk from now on: one that only records, or one that fails in a test."""
        self._mirror = Mirror(disk)
        self.is_rehearsal = True

    @abc.abstractmethod
    def render(self, targets: Sequence[LogTarget]) -> Iterable[Item]:
        """Return all files and links for these targets, which are sorted by id.

        The same targets give the same bytes. `each` remembers what was made of each of them.
        """

    @abc.abstractmethod
    def owned(self) -> Iterable[Owned]:
        """Return the names that are this agent's: all that it renders, and nothing of anybody else's."""

    def each(self, targets: Sequence[LogTarget], make: Callable[[LogTarget], T]) -> list[T]:
        """Return what ``make`` gives for each of the targets; it is only called for new and changed ones.

        For `render`: so a change costs what has changed, also with a thousand targets. What is made is
        remembered by the target for as long as every sync asks for it, but for a None, which is asked for
        again. It must not depend on anything that changes in the agent's life. ``make`` is a method or a
        function with a name: a lambda is another one each time, and nothing would be remembered.
        """
        made: dict[LogTarget, Any] = self._made.setdefault(make, {})
        before = self._made_before.get(make, {})
        for target in targets:
            if target not in made:
                one = before.get(target)
                one = make(target) if one is None else one
                if one is not None:
                    made[target] = one
        everything: list[Any] = [made.get(target) for target in targets]
        return everything

    def sync(self, targets: Sequence[LogTarget]) -> float | None:
        """Write what differs, and prune; compare with the disk itself when the same list comes again."""
        handed = tuple(targets)
        if handed == self._handed:
            self._mirror.forget()
        self._handed = handed
        self._made = {}
        items = list(self.render(sorted(targets, key=attrgetter("id"))))
        self._made_before = self._made
        self._mirror.apply(items, self.owned())
        return None

    def describe(self, target: LogTarget) -> Sequence[Item]:
        """Return the links and files that have the target's id or log in their path or content."""
        words = (target.id, str(target.log_path))
        encoded = tuple(os.fsencode(word) for word in words)
        about: list[Item] = []
        for item in self._mirror.placed.values():
            content = item.content if isinstance(item, File) else os.fsencode(item.target)
            if target.id in str(item.path):
                about.append(item)
            elif any(word in content for word in encoded):
                # Of a file that others are in too, the part that is about the target.
                about.append(
                    File(item.path, part_about(item.content, words)) if isinstance(item, File) else item
                )
        return about

    def placed(self, path: Path) -> Item | None:
        """Return what the last `sync` has put in place there; None where it has not, or could not."""
        return self._mirror.placed.get(path)

    def write(self, items: Iterable[Item]) -> None:
        """Put single items in place, ahead of the first `sync`: for `prepare`. Nothing is removed."""
        self._mirror.write(items, self.owned())

    def check(self) -> None:
        """Look whether the folders are there and writable."""
        for owned in self.owned():
            if not owned.folder.is_dir():
                raise AgentConfigError(
                    f"{owned.folder} is no folder: create it, or mount it into the container"
                )
            if not os.access(owned.folder, os.W_OK | os.X_OK):
                raise AgentConfigError(f"{owned.folder} can't be written to: mount it read-write")


def sync_to_the_end(
    agent: BaseAgent[Any], targets: Sequence[LogTarget], *, between: Callable[[], object] = lambda: None
) -> None:
    """Have an agent sync, and again at once while it has something left that it would do within a second.

    For commands that look once; ``between`` is called before each further time.
    """
    for _ in range(MOST_TIMES):
        left = agent.sync(targets)
        if not isinstance(left, int | float) or left >= 1:
            return
        between()


def rehearse(
    agent: FileAgent[Any], targets: Sequence[LogTarget], disk: DryDisk | None = None
) -> list[Change]:
    """Return what an agent would change on a disk that records; it works on that one from then on."""
    disk = disk or DryDisk()
    disk.changes.clear()
    agent.use_disk(disk)
    sync_to_the_end(agent, targets, between=disk.again)
    return disk.changes
