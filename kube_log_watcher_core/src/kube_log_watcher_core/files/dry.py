"""A disk that is read and never written: what would have been done is recorded instead."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import attrs

from kube_log_watcher_core.files.disk import Disk
from kube_log_watcher_core.files.items import File

LONGEST = 64 * 1024 * 1024
"""Bytes of a file that is read for comparison: no shipper's configuration is longer."""


@attrs.frozen
class Change:
    """One thing that would have been done. Exactly one of the two sides is None for what comes or goes."""

    path: Path
    before: bytes | None = attrs.field(repr=False)
    """A file's content, or a link's target."""
    after: bytes | None = attrs.field(repr=False)
    link: bool = False


class DryDisk(Disk):
    """The real disk for readers. A folder that isn't there is taken as one that was just made."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self._paths: dict[int, Path] = {}
        self._imagined = itertools.count(-1000, -1)
        """Numbers that no open folder has: nothing can be read by them."""

    def again(self) -> None:
        """Record everything anew: nothing was written, so whoever writes again finds all as it was."""
        self.changes.clear()

    @contextlib.contextmanager
    def folder(self, path: Path) -> Iterator[int]:
        """Open a folder, or imagine it."""
        with contextlib.ExitStack() as stack:
            try:
                fd = stack.enter_context(super().folder(path))
            except FileNotFoundError:
                fd = next(self._imagined)
            self._paths[fd] = path
            yield fd

    @contextlib.contextmanager
    def inside(self, fd: int, name: str, *, make: bool) -> Iterator[int]:
        """Open a folder inside another, or imagine it where it would be made."""
        with contextlib.ExitStack() as stack:
            if make and self.kind(fd, name) in {"", "link"}:
                inner = next(self._imagined)
            else:
                inner = stack.enter_context(super().inside(fd, name, make=False))
            self._paths[inner] = self._paths[fd] / name
            yield inner

    def names(self, fd: int) -> list[str]:
        """List an open folder; an imagined one is empty."""
        return [] if fd < 0 else super().names(fd)

    def kind(self, fd: int, name: str) -> str:
        """Return what a name is; in an imagined folder there is nothing."""
        return "" if fd < 0 else super().kind(fd, name)

    def read(self, fd: int, name: str, *, limit: int) -> bytes | None:
        """Read a regular file."""
        return None if fd < 0 else super().read(fd, name, limit=limit)

    def read_link(self, fd: int, name: str) -> str | None:
        """Read where a link leads."""
        return None if fd < 0 else super().read_link(fd, name)

    def write(self, fd: int, file: File) -> None:
        """Record a file."""
        before = self.read(fd, file.path.name, limit=LONGEST)
        self.changes.append(Change(self._paths[fd] / file.path.name, before, file.content))

    def link(self, fd: int, name: str, target: str) -> None:
        """Record a link."""
        self.changes.append(Change(self._paths[fd] / name, self._target(fd, name), os.fsencode(target), True))

    def settle(self, fd: int) -> None:
        """Do nothing: nothing was written."""

    def remove(self, fd: int, name: str) -> None:
        """Record a removal."""
        link = self.kind(fd, name) == "link"
        before = self._target(fd, name) if link else self.read(fd, name, limit=LONGEST)
        self.changes.append(Change(self._paths[fd] / name, before or b"", None, link))

    def remove_folder(self, fd: int, name: str) -> None:
        """Do nothing: a folder that is left empty goes with what was in it."""

    def _target(self, fd: int, name: str) -> bytes | None:
        target = self.read_link(fd, name)
        return None if target is None else os.fsencode(target)
