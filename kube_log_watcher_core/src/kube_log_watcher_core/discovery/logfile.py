"""Where a log really lies, and whether it may be followed. Looks at files, never opens one."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.discovery.names import parse_docker_log, parse_run_path
from kube_log_watcher_core.models import Obstacle, Reason

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


@attrs.frozen
class Log:
    """A log as it was found: a path to follow, or an obstacle."""

    target: str
    """Where it lies once all links are followed, whether it is there or not."""
    obstacle: Obstacle | None = None
    missing: bool = False
    """Nothing is there: not yet, no longer, or just now while it is rotated."""
    unknown: bool = False
    """Missing or not: it can't be looked at."""
    linked: bool = False
    """It was reached through a link, so that changes of the target may go unseen."""
    inode: int | None = None

    @property
    def elsewhere(self) -> bool:
        """Whether it is none of the container at whose place it was found."""
        return self.obstacle is not None and self.obstacle.reason is Reason.OUTSIDE_FOLDER

    @property
    def path(self) -> Path | None:
        """The path to follow, None with an obstacle."""
        return None if self.obstacle else Path(self.target)


class Roots:
    """The folders in which resolved logs may lie."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(str(folder) for folder in folders)
        self._resolved = self._folders
        self._prefixes: tuple[str, ...] = ()
        self.renew()

    def renew(self) -> None:
        """Resolve the folders afresh: one may have been mounted or linked meanwhile.

        One that can't be resolved now stays what it was.
        """
        before = zip(self._folders, self._resolved, strict=True)
        self._resolved = tuple(_resolved(folder) or known for folder, known in before)
        self._prefixes = tuple(f"{folder.rstrip('/')}/" for folder in self._resolved)

    def hold(self, path: str) -> bool:
        """Whether a resolved path lies under one of the folders."""
        return path.startswith(self._prefixes)

    def has(self, folder: str) -> bool:
        """Whether a resolved path is one of the folders itself."""
        return folder in self._resolved

    def __str__(self) -> str:
        return ", ".join(self._folders)


def is_absent(error: OSError) -> bool:
    """Whether an error says that nothing is there. All others leave that open: unknown is not gone."""
    return error.errno in (errno.ENOENT, errno.ENOTDIR)


def locate(path: str, *, folder: str | None, roots: Roots) -> Log:
    """Find the log at `path`; `folder` is its folder's resolved path where that is known already.

    Never raises: whatever stands against looking at it is this log's own obstacle.
    """
    linked = False
    try:
        status = os.lstat(path)
        if folder is not None and stat.S_ISREG(status.st_mode):
            return regular(f"{folder}/{os.path.basename(path)}", roots, inode=status.st_ino)
        linked = stat.S_ISLNK(status.st_mode)
    except OSError as error:
        return _missing(_resolved(path) or path, error, linked=False)
    try:
        target = os.path.realpath(path)
    except OSError as error:  # a link can be seen by some who may not read where it leads
        return _missing(path, error, linked=linked)
    try:
        status = os.stat(target)
    except OSError as error:
        return _missing(target, error, linked=linked)
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        return Log(target, Obstacle(Reason.NOT_A_FILE, f"{target} is {kind}, not a regular file"))
    return attrs.evolve(regular(target, roots, inode=status.st_ino), linked=linked)


def size_of_log(path: Path) -> int | None:
    """Return the bytes of a log, which is not opened; None when it can't be looked at."""
    try:
        return os.stat(path, follow_symlinks=False).st_size
    except (OSError, ValueError):
        return None


def _resolved(path: str) -> str | None:
    try:
        return os.path.realpath(path)
    except OSError:
        return None


def regular(target: str, roots: Roots, *, inode: int) -> Log:
    """Return the log at a resolved path that is known to be a regular file."""
    if roots.hold(target):
        return Log(target, inode=inode)
    detail = f"{target} is outside the log roots ({roots}): add {mount_of(target)} to WATCHER_LOG_ROOTS"
    return Log(target, Obstacle(Reason.OUTSIDE_ROOTS, detail))


def is_rotated(target: str) -> bool:
    """Whether siblings show that the missing log at `target` is between rename and creation."""
    folder, name = os.path.split(target)
    try:
        return any(entry.startswith(f"{name}.") for entry in os.listdir(folder))
    except OSError:
        return False


def mount_of(target: str) -> str:
    """Name the folder of the host that has to be mounted for `target` to be seen."""
    if parse_run_path(target):
        return target.rsplit("/", 3)[0]
    if parse_docker_log(target):
        return target.rsplit("/", 2)[0]
    return os.path.dirname(target)


def _missing(target: str, error: OSError, *, linked: bool) -> Log:
    if not is_absent(error) and error.errno != errno.ELOOP:
        detail = f"{target} can't be looked at ({error.strerror}); it is tried again at each full pass"
        return Log(target, Obstacle(Reason.UNREADABLE, detail), missing=True, unknown=True, linked=linked)
    mount, folder = mount_of(target), os.path.dirname(target)
    if not os.path.isdir(mount):
        detail = f"{target} can't be seen here: mount the host's folder {mount} at the same path"
    elif not os.path.isdir(folder):
        detail = f"{folder} is not there; the log is followed as soon as it is"
    else:
        detail = f"{target} is not there; it is followed as soon as it is"
    return Log(target, Obstacle(Reason.NO_LOG, detail), missing=True, linked=linked)
