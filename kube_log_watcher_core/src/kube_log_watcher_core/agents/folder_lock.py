"""Has folders to itself: two watchers must not write the same files at the same time.

The lock is flock(2) on the folder itself. It leaves no file behind, it holds between containers that
mount the same folder, and the kernel takes it back however the process ends.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import attrs

from kube_log_watcher_core.errors import AgentError

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
"""How often somebody who waits tries again: a second is the most that a change of watchers may take."""

Identity = tuple[int, int]
"""Device and inode: a folder has several paths where it is mounted twice."""


class FolderTaken(AgentError):
    """Another process has a folder to itself."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"another watcher is at work on {folder}")
        self.folder = folder


@attrs.define
class _Lock:
    descriptor: int
    users: int = 1


class FolderLocks:
    """The folders that this process has to itself. Agents that share a folder share its lock."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._locks: dict[Identity, _Lock] = {}
        self._unlockable: set[Path] = set()

    def take(self, folder: Path) -> Identity | None:
        """Have one folder; None when it isn't there, or can't be locked at all.

        Raises
        ------
        FolderTaken
            when another process has it.
        """
        with self._mutex:
            try:
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError:
                return None  # whoever writes to it will tell what is wrong with it
            status = os.fstat(descriptor)
            identity = (status.st_dev, status.st_ino)
            known = self._locks.get(identity)
            if known is None and self._lock(descriptor, folder):
                self._locks[identity] = _Lock(descriptor)
                return identity
            os.close(descriptor)
            if known is None:
                return None
            known.users += 1
            return identity

    def release(self, identity: Identity) -> None:
        """Need a folder no longer; the last one to say so unlocks it."""
        with self._mutex:
            lock = self._locks[identity]
            lock.users -= 1
            if lock.users == 0:
                del self._locks[identity]
                os.close(lock.descriptor)

    def _lock(self, descriptor: int, folder: Path) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno == errno.EWOULDBLOCK:
                os.close(descriptor)
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
        self._folders = tuple(dict.fromkeys(folders))
        self._held: dict[Path, Identity] = {}
        self.obstacle: Path | None = None
        """The folder that another process had at the last try; None once all are had."""

    def take(self) -> bool:
        """Try to have all folders as they are now: one that was replaced is another folder."""
        there = {folder: _identity(folder) for folder in self._folders}
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

        Raises
        ------
        FolderTaken
            when one of them was replaced, and another process has the new one.
        """
        if not self.take() and self.obstacle is not None:
            raise FolderTaken(self.obstacle)

    def wait(self, *, seconds: float, clock: Callable[[], float], sleep: Callable[[float], object]) -> bool:
        """Try for so long; tell whether all folders are had."""
        deadline = clock() + seconds
        while not self.take():
            if clock() >= deadline:
                return False
            sleep(POLL_SECONDS)
        return True

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
