"""How far a shipper has read, by what it keeps of that itself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kube_log_watcher_core import AgentConfigError, LogFile, Progress

Offsets = Mapping[Any, Any]
"""What a shipper notes of the files that it reads: in most cases bytes, by a file's path *and* inode.

Inodes are used again within seconds: by inode alone, "all read" was said of files that nobody had opened.
"""

MOST_BYTES = 64 * 1024 * 1024
"""Of a file of positions that is read at all."""

FRESH_SECONDS = 1.0
"""So long after a change another may bear the same time: file systems tell times apart only so well."""
AGAIN_SECONDS = 0.2
"""So soon a file that may have changed unseen is read again: many segments are asked about at once."""


def by_path_and_inode(offsets: Offsets, file: LogFile) -> int:
    """Return what was read of a file that can't be taken for another."""
    return int(offsets.get((str(file.path), file.inode), 0))


def by_path(offsets: Offsets, file: LogFile) -> int:
    """Return what was read by notes without inodes: enough for segments, whose paths never come back."""
    return int(offsets.get(str(file.path), 0))


class PositionFile:
    """One file in which a shipper notes how far it is with each file that it reads.

    Parameters
    ----------
    parse
        finds the offsets in its content; raises `ValueError` for a content that it can't read.
    find
        gives the bytes that were read of a file, 0 where there is no note of it; raises `OSError` where that
        can't be told.
    wall
        the present time, in seconds since the epoch.
    """

    def __init__(
        self,
        path: Path,
        parse: Callable[[bytes], Offsets],
        *,
        find: Callable[[Offsets, LogFile], int] = by_path_and_inode,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._parse = parse
        self._find = find
        self._wall = wall
        self._seen: tuple[int, ...] = ()
        self._is_settled = False
        self._at = 0.0
        """When the offsets were what the file says, in seconds since the epoch."""
        self._offsets: Offsets = {}

    def progress(self, file: LogFile) -> Progress | None:
        """Return how far the shipper is with a file; None when its positions can't be read.

        A file that it has no note of it has not begun: nothing of it was read. The position is as the
        shipper keeps it *now*: where it is the size of a file that nobody writes to any more, all is read.
        """
        if file.inode is None:
            return None
        try:
            read_bytes = self._find(self.offsets(), file)
        except (OSError, ValueError):
            return None
        return Progress(read_bytes=read_bytes, at=self._at)

    def check(self) -> None:
        """Look whether it can be read; a shipper that has not begun yet has none.

        Raises
        ------
        AgentConfigError
            when it can't; with the remedy.
        """
        if not self._path.parent.is_dir():
            raise AgentConfigError(
                f"{self._path.parent} is no folder: mount the one in which the shipper keeps its positions "
                f"({self._path.name})"
            )
        try:
            self.offsets()
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise AgentConfigError(
                f"{self._path} can't be read as the shipper's positions ({error}): name another file, or none"
            ) from error

    def offsets(self) -> Offsets:
        """Return all that it keeps; the file is read only when it has changed.

        Raises
        ------
        OSError
            when it can't be read.
        ValueError
            when it is not what it should be.
        """
        now = self._wall()
        status = os.stat(self._path)
        seen = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if seen == self._seen and not self._is_settled and 0 <= now - self._at < AGAIN_SECONDS:
            return self._offsets
        if seen != self._seen or not self._is_settled:
            self._offsets = self._parsed(read_bounded(self._path, MOST_BYTES))
            self._seen, self._is_settled = seen, now - status.st_mtime > FRESH_SECONDS
        self._at = now
        return self._offsets

    def _parsed(self, content: bytes) -> Offsets:
        try:
            return self._parse(content)
        except (AttributeError, LookupError, TypeError, RecursionError) as error:
            raise ValueError(f"it is of another form: {error!r}") from error


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """Return a regular file's content.

    Raises
    ------
    OSError
        when it can't be read.
    ValueError
        when it has more bytes than that, or is no regular file.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb") as file:
        if not os.path.isfile(fd):
            raise ValueError(f"{path} is no regular file")
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"{path} has more than {most_bytes} bytes")
    return content
