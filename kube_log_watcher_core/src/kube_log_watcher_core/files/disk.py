"""The system calls that change a disk, and no decisions: tests inject one that fails at any step.

All of them work relative to an open folder, so that a link put in the way is never followed.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from kube_log_watcher_core.files.items import TEMPORARY_SUFFIX, File

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: a FIFO that somebody put there must not block the reader.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


_LONGEST_STEM = 150
"""Bytes of a name that its temporary name repeats: a name may have 255, and both must fit."""
_TEMPORARY = re.compile(r"\.(?P<stem>.+)\.[0-9a-f]{8}" + re.escape(TEMPORARY_SUFFIX), re.DOTALL)


def temporary_name(name: str) -> str:
    """Return a name for a file in the making: hidden, and with an ending that no shipper reads."""
    stem = os.fsencode(name)[:_LONGEST_STEM].decode(errors="ignore")
    return f".{stem}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"


def is_temporary_of(name: str, pattern: re.Pattern[str]) -> bool:
    """Whether a name is a temporary one for a name of this pattern."""
    made = _TEMPORARY.fullmatch(name)
    if made is None:
        return False
    # A stem of this length may have been cut, in the middle of a character even: the rest is unknown.
    cut = len(os.fsencode(made["stem"])) > _LONGEST_STEM - 4
    return cut or pattern.fullmatch(made["stem"]) is not None


class Disk:
    """The real disk. Every method raises `OSError`."""

    @contextlib.contextmanager
    def folder(self, path: Path) -> Iterator[int]:
        """Open a folder that the operator named; it may be a link."""
        fd = os.open(path, _FOLDER)
        try:
            yield fd
        finally:
            os.close(fd)

    @contextlib.contextmanager
    def inside(self, fd: int, name: str, *, make: bool) -> Iterator[int]:
        """Open a folder inside an open one, never through a link; with ``make``, create it if needed."""
        if make:
            if self.kind(fd, name) == "link":
                os.unlink(name, dir_fd=fd)
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=fd)
        inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=fd)
        try:
            yield inner
        finally:
            os.close(inner)

    def names(self, fd: int) -> list[str]:
        """List an open folder."""
        return os.listdir(fd)

    def kind(self, fd: int, name: str) -> str:
        """Return what a name is: ``file``, ``link``, ``folder``, ``other``, or ``""`` when it isn't there."""
        try:
            mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return ""
        kinds = {stat.S_IFREG: "file", stat.S_IFLNK: "link", stat.S_IFDIR: "folder"}
        return kinds.get(stat.S_IFMT(mode), "other")

    def read(self, fd: int, name: str, *, limit: int) -> bytes | None:
        """Read a regular file of up to ``limit`` bytes; None when it is no such file, or longer."""
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(open(os.open(name, _READ, dir_fd=fd), "rb"))
            except OSError:
                return None
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
                return None
            return file.read(limit + 1)

    def read_link(self, fd: int, name: str) -> str | None:
        """Read where a link leads; None when it is no link."""
        try:
            return os.readlink(name, dir_fd=fd)
        except OSError:
            return None

    def write(self, fd: int, file: File) -> None:
        """Put a file in place atomically: another name first, on the disk, then renamed.

        A regular file that is there hands its owner, group and mode on to the new one, before the
        new one holds a single byte: a secret is never readable to more than it was.
        """
        name = file.path.name
        temporary = temporary_name(name)
        new = os.open(temporary, _NEW, 0o600, dir_fd=fd)
        try:
            with open(new, "wb") as stream:
                self._adopt(fd, name, new, file)
                stream.write(file.content)
                stream.flush()
                os.fsync(new)
            os.rename(temporary, name, src_dir_fd=fd, dst_dir_fd=fd)
        except BaseException:
            self._discard(fd, temporary)
            raise

    def _adopt(self, fd: int, name: str, new: int, file: File) -> None:
        try:
            old = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except FileNotFoundError:
            old = None
        if old is not None and stat.S_ISREG(old.st_mode):
            made = os.fstat(new)
            if (old.st_uid, old.st_gid) != (made.st_uid, made.st_gid):
                os.fchown(new, old.st_uid, old.st_gid)
            os.fchmod(new, stat.S_IMODE(old.st_mode))
            return
        if file.group is not None:
            os.fchown(new, -1, file.group)
        os.fchmod(new, file.mode)

    def link(self, fd: int, name: str, target: str) -> None:
        """Put a link in place atomically."""
        temporary = temporary_name(name)
        os.symlink(target, temporary, dir_fd=fd)
        try:
            os.rename(temporary, name, src_dir_fd=fd, dst_dir_fd=fd)
        except BaseException:
            self._discard(fd, temporary)
            raise

    def _discard(self, fd: int, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=fd)

    def settle(self, fd: int) -> None:
        """Make the names of a folder last through a power cut."""
        os.fsync(fd)

    def remove(self, fd: int, name: str) -> None:
        """Remove a file or a link; one that is gone already is fine."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=fd)

    def remove_folder(self, fd: int, name: str) -> None:
        """Remove a folder if it is empty: others may keep theirs in it."""
        with contextlib.suppress(FileNotFoundError, OSError):
            os.rmdir(name, dir_fd=fd)
