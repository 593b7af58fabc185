"""Disks for agents under test: one that fails at a step, and one that counts the steps."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from kube_log_watcher_core.files import Disk, File
from kube_log_watcher_testing.imagined import ImaginedDisk


class _Stepping(Disk):
    """A disk that tells of each step before it is done."""

    def step(self, operation: str) -> None:
        """Note a step; raise `OSError` to let it fail."""

    @contextlib.contextmanager
    def folder(self, path: Path) -> Iterator[int]:
        self.step("folder")
        with super().folder(path) as fd:
            yield fd

    @contextlib.contextmanager
    def inside(self, fd: int, name: str, *, make: bool) -> Iterator[int]:
        self.step("inside")
        with super().inside(fd, name, make=make) as inner:
            yield inner

    def names(self, fd: int) -> list[str]:
        self.step("names")
        return sorted(super().names(fd))

    def kind(self, fd: int, name: str) -> str:
        self.step("kind")
        return super().kind(fd, name)

    def read(self, fd: int, name: str, *, limit: int) -> bytes | None:
        self.step("read")
        return super().read(fd, name, limit=limit)

    def read_link(self, fd: int, name: str) -> str | None:
        self.step("read_link")
        return super().read_link(fd, name)

    def write(self, fd: int, file: File) -> None:
        self.step("write")
        super().write(fd, file)

    def link(self, fd: int, name: str, target: str) -> None:
        self.step("link")
        super().link(fd, name, target)

    def settle(self, fd: int) -> None:
        self.step("settle")
        super().settle(fd)

    def remove(self, fd: int, name: str) -> None:
        self.step("remove")
        super().remove(fd, name)

    def remove_folder(self, fd: int, name: str) -> None:
        self.step("remove_folder")
        super().remove_folder(fd, name)


class FailingDisk(_Stepping):
    """The real disk, of which one step fails, by its number; before and after, all is well."""

    PUTTING = frozenset({"read", "read_link", "write", "link", "settle"})
    """Steps that only belong to putting things in place, not to removing."""

    def __init__(self, fail_at: int) -> None:
        self._fail_at = fail_at
        self._steps = 0
        self.failed = ""
        """The step that has failed; empty as long as none has."""

    def step(self, operation: str) -> None:
        """Fail when it is time."""
        self._steps += 1
        if self._steps == self._fail_at:
            self.failed = operation
            raise OSError(errno.EIO, os.strerror(errno.EIO))


class CountingDisk(_Stepping, ImaginedDisk):
    """A disk in memory that counts its steps."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def step(self, operation: str) -> None:
        """Count."""
        self.steps += 1
