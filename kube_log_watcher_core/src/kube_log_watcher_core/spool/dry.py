"""A spool that is only looked at: nothing is linked, moved or removed."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from kube_log_watcher_core.spool.disk import SpoolDisk


class DrySpoolDisk(SpoolDisk):
    """Reads as the real one does, and refuses links, or pretends that they are made."""

    def __init__(self, *, pretends: bool = False) -> None:
        self._pretends = pretends

    @contextlib.contextmanager
    def folder(self, path: Path, *parts: str, make: bool = False) -> Iterator[int]:
        """Open a folder; for what would be made, the spool itself stands in: it is on the same mount."""
        with super().folder(path, *(() if make else parts)) as fd:
            yield fd

    def link(self, file: int, fd: int, name: str) -> None:
        """Make none, and say who will."""
        del file, fd, name
        if self._pretends:
            return
        raise OSError(errno.ECANCELED, "no watcher runs: the next one links it")

    def write_note(self, fd: int, name: str, text: str) -> None:
        """Write none."""

    def mark(self, path: Path, name: str, seconds: int) -> None:
        """Mark nothing."""

    def show(self, waiting: int, kept: str, fd: int, name: str) -> None:
        """Move nothing."""

    def remove(self, fd: int, name: str) -> None:
        """Remove nothing."""

    def remove_folder(self, path: Path, name: str) -> None:
        """Remove nothing."""
