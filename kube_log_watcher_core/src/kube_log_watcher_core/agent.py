"""What an agent is: it makes its shipper's configuration match a list of targets."""

from __future__ import annotations

import abc
import os
from collections.abc import Iterable, Sequence
from typing import ClassVar, Generic, TypeVar

from kube_log_watcher_core.errors import AgentConfigError
from kube_log_watcher_core.files import Disk, File, Item, Link, Mirror, Owned, part_about
from kube_log_watcher_core.models import LogTarget, NodeContext, Progress

SettingsT = TypeVar("SettingsT")


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

    @abc.abstractmethod
    def sync(self, targets: Sequence[LogTarget]) -> None:
        """Make the configuration match: all targets there are, sorted by id.

        What is not among them is no longer followed. Being called twice with the same list changes
        nothing.
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
    def pause_seconds(self) -> float:
        """Least seconds between two syncs that bring changes, for a shipper that each change disturbs.

        The first change after quiet never waits.
        """
        return 0.0

    @property
    def hold_seconds(self) -> float:
        """How long changes wait after a log is gone, unless `read_up_to` tells that it was read.

        For a shipper that loses what it has not read of gone logs when its configuration changes.
        """
        return 0.0

    def read_up_to(self, target: LogTarget) -> Progress | None:
        """Return how far the shipper has read a log; None when nobody knows.

        It is asked about logs that are gone from the disk, and for ``kube-log-watcher explain``. Evidence
        only decides how long a log stays among the targets of `sync` after it is gone: without any it is
        ``WATCHER_DRAIN_SECONDS``.
        """
        return None

    def describe(self, target: LogTarget) -> Sequence[Item]:
        """Tell people what stands on the disk about a target, for ``kube-log-watcher explain``.

        A file may have only that part of its content. Without an answer nothing is shown.
        """
        return ()

    def recheck(self) -> None:
        """Compare with what is really there at the next `sync`: a full pass is about to begin."""

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

    def use_disk(self, disk: Disk) -> None:
        """Work on another disk from now on: one that only records, or one that fails in a test."""
        self._mirror = Mirror(disk)

    @abc.abstractmethod
    def render(self, targets: Sequence[LogTarget]) -> Iterable[Item]:
        """Return all files and links for these targets: the same targets, the same bytes."""

    @abc.abstractmethod
    def owned(self) -> Iterable[Owned]:
        """Return the names that are this agent's: all that it renders, and nothing of anybody else's."""

    def sync(self, targets: Sequence[LogTarget]) -> None:
        """Write what differs from the disk, and prune."""
        self._mirror.apply(self.render(targets), self.owned())

    def describe(self, target: LogTarget) -> Sequence[Item]:
        """Return the links and files that have the target's id or log in their path or content."""
        words = (target.id, str(target.log_path))
        encoded = tuple(os.fsencode(word) for word in words)
        return [
            _part(item, words) for item in self._mirror.placed.values() if _is_about(item, target, encoded)
        ]

    def write(self, items: Iterable[Item]) -> None:
        """Put single items in place, ahead of the first `sync`: for `prepare`. Nothing is removed."""
        self._mirror.write(items, self.owned())

    def recheck(self) -> None:
        """Compare everything with the disk at the next `sync`."""
        self._mirror.forget()

    def check(self) -> None:
        """Look whether the folders are there and writable."""
        for owned in self.owned():
            if not owned.folder.is_dir():
                raise AgentConfigError(
                    f"{owned.folder} is no folder: create it, or mount it into the container"
                )
            if not os.access(owned.folder, os.W_OK | os.X_OK):
                raise AgentConfigError(f"{owned.folder} can't be written to: mount it read-write")


def _is_about(item: Item, target: LogTarget, words: Sequence[bytes]) -> bool:
    """Whether an item has the target's id in its path, or id or log in its content."""
    if target.id in str(item.path):
        return True
    content = item.content if isinstance(item, File) else os.fsencode(item.target)
    return any(word in content for word in words)


def _part(item: Item, words: Sequence[str]) -> Item:
    """Return an item; of a file that others are in too, the part that is about the target."""
    if isinstance(item, Link) or words[0] in str(item.path):
        return item
    return File(item.path, part_about(item.content, words))
