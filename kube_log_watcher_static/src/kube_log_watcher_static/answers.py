"""What a shipper says that it has loaded: a line for each table, in a file that it appends to."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_TAIL_BYTES = 4096
"""That are read at its end: the last line is a generation or a few words."""
_MOST_BYTES = 64 * 1024
"""Of the file before it should be emptied."""
_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Answers:
    """The file in which a shipper says which generation of a table it has loaded."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def last(self) -> str:
        """Return the generation that was named last; an empty text where none can be read."""
        return self.last_and_when()[0]

    def last_and_when(self) -> tuple[str, int]:
        """Return the generation that was named last, and the file's time of change, in nanoseconds."""
        try:
            fd = os.open(self._path, os.O_RDONLY | _FLAGS)
        except OSError:
            return "", 0
        with open(fd, "rb") as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                return "", 0
            file.seek(max(0, status.st_size - _TAIL_BYTES))
            *lines, _unfinished = file.read(_TAIL_BYTES).split(b"\n")
        return (lines[-1].decode("ascii", "replace") if lines else ""), status.st_mtime_ns

    def is_full(self) -> bool:
        """Whether the file has grown so large that it should be emptied: a shipper only ever appends."""
        try:
            return os.stat(self._path, follow_symlinks=False).st_size > _MOST_BYTES
        except OSError:
            return False

    def empty(self) -> None:
        """Empty the file: a shipper appends to whatever is there. The last answer goes, too: ask anew."""
        try:
            fd = os.open(self._path, os.O_WRONLY | _FLAGS)
        except OSError:  # there is none, or it is no file: nothing is read from it either
            return
        try:
            status = os.fstat(fd)
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                os.ftruncate(fd, 0)
        finally:
            os.close(fd)
