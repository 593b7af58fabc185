"""A disk that exists in memory only: what an agent would write, without a place to write it to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Union

from kube_log_watcher_core.files.dry import DryDisk
from kube_log_watcher_core.files.items import File

_Folder = dict[str, Union["_Folder", bytes, str]]
"""By name: a folder, a file's content, or where a link leads."""


class ImaginedDisk(DryDisk):
    """Begins empty, keeps what is written to it, and records it. A folder that is asked for is there."""

    def __init__(self) -> None:
        super().__init__()
        self._root: _Folder = {}
        self._open: dict[int, _Folder] = {}

    def again(self) -> None:
        """Go on recording: what was written is there."""

    @contextlib.contextmanager
    def folder(self, path: Path) -> Iterator[int]:
        """Open a folder, with all that leads to it."""
        found = self._root
        for part in path.parts:
            found = _folder_in(found, part)
        with self._opened(found, path) as fd:
            yield fd

    @contextlib.contextmanager
    def inside(self, fd: int, name: str, *, make: bool) -> Iterator[int]:
        """Open a folder inside another; with ``make``, create it if needed."""
        if not make and self.kind(fd, name) != "folder":
            raise NotADirectoryError(name)
        with self._opened(_folder_in(self._open[fd], name), self._paths[fd] / name) as inner:
            yield inner

    @contextlib.contextmanager
    def _opened(self, folder: _Folder, path: Path) -> Iterator[int]:
        fd = next(self._imagined)
        self._open[fd], self._paths[fd] = folder, path
        try:
            yield fd
        finally:
            del self._open[fd], self._paths[fd]

    def names(self, fd: int) -> list[str]:
        """List a folder."""
        return sorted(self._open[fd])

    def kind(self, fd: int, name: str) -> str:
        """Return what a name is."""
        found = self._open[fd].get(name)
        if found is None:
            return ""
        return "link" if isinstance(found, str) else "file" if isinstance(found, bytes) else "folder"

    def read(self, fd: int, name: str, *, limit: int) -> bytes | None:
        """Read a file."""
        found = self._open[fd].get(name)
        return found if isinstance(found, bytes) and len(found) <= limit else None

    def read_link(self, fd: int, name: str) -> str | None:
        """Read where a link leads."""
        found = self._open[fd].get(name)
        return found if isinstance(found, str) else None

    def write(self, fd: int, file: File) -> None:
        """Record a file, and keep it."""
        super().write(fd, file)
        self._open[fd][file.path.name] = file.content

    def link(self, fd: int, name: str, target: str) -> None:
        """Record a link, and keep it."""
        super().link(fd, name, target)
        self._open[fd][name] = os.fspath(target)

    def remove(self, fd: int, name: str) -> None:
        """Record a removal, and forget what was there."""
        super().remove(fd, name)
        self._open[fd].pop(name, None)

    def remove_folder(self, fd: int, name: str) -> None:
        """Forget a folder if it is empty."""
        if self._open[fd].get(name) == {}:
            del self._open[fd][name]


def _folder_in(folder: _Folder, name: str) -> _Folder:
    """Return a folder inside another; whatever else has its name makes way, as a link does on a real disk."""
    found = folder.get(name)
    if not isinstance(found, dict):
        found = folder[name] = {}
    return found
