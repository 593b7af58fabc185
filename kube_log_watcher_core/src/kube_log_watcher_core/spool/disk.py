"""The system calls that make, show and remove segments, and no decisions: tests inject one that fails.

All of them work relative to open folders, and follow no link: log folders and spool belong to the node,
but whoever can mount them may have put anything there.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_NOTE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_MARK = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEVER = 9 * 10**9
"""Seconds since the epoch: a segment's number has ten digits."""
MOST_BYTES_OF_NOTE = 64 * 1024


class NotTheLog(OSError):
    """What lies under a log's name is another file than the one that was found, or none."""


@attrs.frozen
class Found:
    """A segment's file as it stands in a folder of the spool."""

    name: str
    inode: int
    size: int
    """Bytes."""
    links: int
    """How many names the file has. 1: only the spool still holds it."""
    written: float
    """Seconds since the epoch at which it was written to last."""
    changed: float
    """Seconds since the epoch at which its inode changed last, for instance by a rename."""


class SpoolDisk:
    """The real disk. Every method raises `OSError`."""

    @contextlib.contextmanager
    def folder(self, path: Path, *parts: str, make: bool = False) -> Iterator[int]:
        """Open a folder of the spool, or one inside it; ``make``: create what is missing of the latter."""
        fd = os.open(path, _FOLDER)
        try:
            for part in parts:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, 0o755, dir_fd=fd)
                inner = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=fd)
                os.close(fd)
                fd = inner
            yield fd
        finally:
            os.close(fd)

    def names(self, fd: int) -> list[str]:
        """List an open folder."""
        return os.listdir(fd)

    def found(self, fd: int, names: Sequence[str]) -> list[Found]:
        """Look at regular files in an open folder; what is none, or has gone, is left out."""
        found = []
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=fd, follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    found.append(
                        Found(
                            name,
                            inode=status.st_ino,
                            size=status.st_size,
                            links=status.st_nlink,
                            written=status.st_mtime,
                            changed=status.st_ctime,
                        )
                    )
        return found

    def device(self, path: Path) -> int:
        """Return the number of the file system that a folder is on: inodes count within one alone."""
        return os.stat(path).st_dev

    def entries(self, path: Path) -> list[tuple[str, int]]:
        """List names and inodes of the regular files in a log's folder."""
        with os.scandir(path) as entries:
            return [(each.name, each.inode()) for each in entries if each.is_file(follow_symlinks=False)]

    @contextlib.contextmanager
    def log(self, folder: Path, name: str, inode: int) -> Iterator[int]:
        """Open a log's file, which is neither read nor written; it can't be swapped from then on.

        ``folder`` is a resolved path: a link on it that has come since then is not followed.
        """
        fd = os.open("/", _FOLDER)
        try:
            for part in folder.parts[1:]:
                inner = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
                os.close(fd)
                fd = inner
            file = os.open(name, _FILE, dir_fd=fd)
        finally:
            os.close(fd)
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode) or status.st_ino != inode:
                raise NotTheLog(f"{folder / name} is another file by now")
            yield file
        finally:
            os.close(file)

    def link(self, file: int, fd: int, name: str) -> None:
        """Give an open file one more name, in an open folder."""
        os.link(f"/proc/self/fd/{file}", name, dst_dir_fd=fd, follow_symlinks=True)

    def write_note(self, fd: int, name: str, text: str) -> None:
        """Put a note into an open folder, in one step for whoever reads it.

        It is not waited for until it is on the disk: that takes milliseconds for each log, and what it serves
        is another process on a node that goes on, not one that lost its power with all containers.
        """
        making = f"{name}.new"
        with open(os.open(making, _NEW, 0o600, dir_fd=fd), "w", encoding="utf-8") as stream:
            stream.write(text)
        os.rename(making, name, src_dir_fd=fd, dst_dir_fd=fd)

    def read_note(self, fd: int, name: str) -> str:
        """Return what a note in an open folder says, as far as one may be long."""
        with open(os.open(name, _NOTE, dir_fd=fd), encoding="utf-8", errors="replace") as stream:
            return stream.read(MOST_BYTES_OF_NOTE)

    def show(self, waiting: int, kept: str, fd: int, name: str) -> None:
        """Move what waited to where shippers look."""
        os.rename(kept, name, src_dir_fd=waiting, dst_dir_fd=fd)

    def remove(self, fd: int, name: str) -> None:
        """Remove a link; one that is gone already is fine."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=fd)

    def remove_folder(self, path: Path, name: str) -> None:
        """Remove a pod's folder if it is empty."""
        with contextlib.suppress(OSError), self.folder(path) as fd:
            os.rmdir(name, dir_fd=fd)

    def mark(self, path: Path, name: str, seconds: int) -> None:
        """Write a number of seconds down, as the time of an empty file."""
        with self.folder(path) as fd:
            file = os.open(name, _MARK, 0o644, dir_fd=fd)
        try:
            os.utime(file, (seconds, seconds))
        finally:
            os.close(file)

    def marked(self, path: Path, name: str) -> int:
        """Return the number of seconds that was written down; 0 without one, or with one that can't be."""
        try:
            status = os.stat(path / name, follow_symlinks=False)
        except OSError:
            return 0
        seconds = int(status.st_mtime)
        return seconds if stat.S_ISREG(status.st_mode) and seconds < _NEVER else 0

    def room(self, path: Path) -> tuple[int, int]:
        """Return the bytes that a file system has, and those of them that anybody may still use."""
        found = os.statvfs(path)
        return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
