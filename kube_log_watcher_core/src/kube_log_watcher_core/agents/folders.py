"""Has folders to itself: two watchers must not write the same files at the same time.

The lock is flock(2) on the folder itself. It leaves no file behind, it holds between containers that
mount the same folder, and the kernel takes it back however the process ends.

Opening a folder may take as long as it likes, on a network's file system: nobody else waits for that.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import attrs

from kube_log_watcher_core.agent import BaseAgent, FileAgent
from kube_log_watcher_core.errors import AgentError

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
"""How often a command that runs once tries again."""
LOCK_SECONDS = 3.0
"""How long it waits for a folder that a watcher has: one that was asked to stop is gone within a second."""

Identity = tuple[int, int]
"""Device and inode: a folder has several paths where it is mounted twice."""


class FolderTaken(AgentError):
    """Another process has a folder to itself."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"another watcher is at work on {folder}")
        self.folder = folder


@attrs.define(eq=False)
class _Lock:
    """A folder that somebody of this process has, or is about to lock."""

    mutex: threading.Lock = attrs.field(factory=threading.Lock)
    descriptor: int | None = None
    users: int = 0


class FolderLocks:
    """The folders that this process has to itself. Agents that share a folder share its lock."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        """Never held while the disk is asked for anything."""
        self._locks: dict[Identity, _Lock] = {}
        self._unlockable: set[Path] = set()

    def take(self, folder: Path) -> Identity | None:
        """Have one folder; None when it isn't there, or can't be locked at all.

        Raises `FolderTaken` when another process has it.
        """
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return None  # whoever writes to it will tell what is wrong with it
        try:
            status = os.fstat(descriptor)
            identity = (status.st_dev, status.st_ino)
            with self._mutex:
                lock = self._locks.setdefault(identity, _Lock())
                lock.users += 1
            had = False
            try:
                with lock.mutex:
                    if lock.descriptor is None and self._lock(descriptor, folder):
                        lock.descriptor, descriptor = descriptor, -1
                    had = lock.descriptor is not None
            finally:
                if not had:
                    self.release(identity)
            return identity if had else None
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def release(self, identity: Identity) -> None:
        """Need a folder no longer; the last one to say so unlocks it."""
        with self._mutex:
            lock = self._locks[identity]
            lock.users -= 1
        with lock.mutex:
            with self._mutex:
                if lock.users > 0:  # others had it all the time, or somebody came just now
                    return
            if lock.descriptor is not None:
                os.close(lock.descriptor)
                lock.descriptor = None
            with self._mutex:
                if not lock.users and self._locks.get(identity) is lock:
                    del self._locks[identity]

    def _lock(self, descriptor: int, folder: Path) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno == errno.EWOULDBLOCK:
                raise FolderTaken(folder) from error
            if folder not in self._unlockable:
                self._unlockable.add(folder)
                logger.warning(
                    "%s can't be locked (%s): see to it that only one watcher works on it",
                    folder,
                    error.strerror,
                )
            return False
        return True


class Claim:
    """Somebody's wish to have some folders to himself: all of them, or none yet."""

    def __init__(self, locks: FolderLocks, folders: Iterable[Path]) -> None:
        self._locks = locks
        self.folders = frozenset(folders)
        self._held: dict[Path, Identity] = {}
        self.obstacle: Path | None = None
        """The folder that another process had at the last try; None once all are had."""

    def take(self) -> bool:
        """Try to have all folders as they are now: one that was replaced is another folder."""
        there = {folder: _identity(folder) for folder in self.folders}
        wanted = [folder for folder, identity in there.items() if identity != self._held.get(folder)]
        fresh: dict[Path, Identity | None] = {}
        try:
            # In one order for everybody, whatever they call the folders.
            for folder in sorted(wanted, key=lambda folder: there[folder] or (0, 0)):
                fresh[folder] = self._locks.take(folder)
        except FolderTaken as taken:
            self._give_back(fresh.values())
            self.obstacle = taken.folder
            return False
        self._give_back(self._held.pop(folder, None) for folder in wanted)
        self._held |= {folder: identity for folder, identity in fresh.items() if identity is not None}
        self.obstacle = None
        return True

    def confirm(self) -> None:
        """Make sure that the folders are had before something is written.

        Raises `FolderTaken` when one of them was replaced, and another process has the new one.
        """
        if not self.take() and self.obstacle is not None:
            raise FolderTaken(self.obstacle)

    def shares(self, other: Claim) -> bool:
        """Whether another claim is on one of the same folders, by their paths."""
        return not self.folders.isdisjoint(other.folders)

    def release(self) -> None:
        """Let go of all."""
        self._give_back(self._held.values())
        self._held = {}

    def _give_back(self, identities: Iterable[Identity | None]) -> None:
        for identity in list(identities):
            if identity is not None:
                self._locks.release(identity)


def _identity(folder: Path) -> Identity | None:
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino


class Turn:
    """Waits for the turn at some folders, and says so: a worker asks it whether it may begin.

    Parameters
    ----------
    title
        how the log calls who waits.
    """

    def __init__(self, title: str, claim: Claim, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._claim = claim
        self._clock = clock
        self._since: float | None = None

    def __call__(self) -> bool:
        """Take the folders if nobody else has them; whether that was so."""
        if self._claim.take():
            if self._since is not None:
                waited = self._clock() - self._since
                logger.info("%s takes over: the other watcher ended after %.1f s", self._title, waited)
            return True
        if self._since is None:
            self._since = self._clock()
            logger.warning(
                "%s waits: another watcher is at work on %s; this one observes until it ends",
                self._title,
                self._claim.obstacle,
            )
        return False

    @property
    def waited(self) -> bool:
        """Whether another watcher was there first."""
        return self._since is not None


def folders_of(agent: BaseAgent[Any], state_dir: Path | None) -> Sequence[Path]:
    """Return the folders that an agent must have to itself.

    An agent that doesn't write files has none; then the folder of the watcher's own state stands for it.
    """
    folders = [owned.folder for owned in agent.owned()] if isinstance(agent, FileAgent) else []
    return folders or ([state_dir] if state_dir else [])


class ExclusiveFolders:
    """Has the folders of agents to itself, for commands that run once: until the process ends.

    All agents together wait for `LOCK_SECONDS`.
    """

    def __init__(self, state_dir: Path | None) -> None:
        self._state_dir = state_dir
        self._locks = FolderLocks()
        self._until = time.monotonic() + LOCK_SECONDS

    def have(self, agent: BaseAgent[Any]) -> None:
        """Have the agent's folders.

        Raises `FolderTaken` when another watcher has one of them for too long.
        """
        claim = Claim(self._locks, folders_of(agent, self._state_dir))
        while not claim.take():
            if claim.obstacle is not None and time.monotonic() >= self._until:
                raise FolderTaken(claim.obstacle)
            time.sleep(POLL_SECONDS)
