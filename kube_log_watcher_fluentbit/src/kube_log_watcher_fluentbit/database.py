"""How far Fluent Bit's tail has read, by the SQLite database in which it notes that."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from kube_log_watcher_core import LogFile, Progress

if TYPE_CHECKING:
    from sqlite3 import Connection

PATIENCE_SECONDS = 0.2
"""How long a lock is waited for: the next look comes in seconds."""
REUSE_SECONDS = 1.0
"""For how long a connection serves: one look asks about many segments at once."""

_OFFSETS = "SELECT offset FROM in_tail_files WHERE name = ? AND inode = ?"


class TailDatabase:
    """Reads the database that ``db`` names, without ever writing to it.

    What can't be read is unknown: a database that is locked, or that nobody may read after a clean stop
    (without its ``-wal`` a reader without write access is refused). One that does not exist yet in a folder
    that is there is of a Fluent Bit that has read nothing.

    Parameters
    ----------
    wall
        the present time, in seconds since the epoch.
    clock
        goes on evenly, in seconds.
    """

    def __init__(
        self,
        path: Path,
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._wall = wall
        self._clock = clock
        self._connection: Connection | None = None
        self._opened = 0.0
        self._identity = (0, 0)
        self.trouble = ""
        """Why the last question had no answer."""

    def progress(self, file: LogFile) -> Progress | None:
        """Return how far a file is read, by its path and inode; None when nobody can tell."""
        if file.inode is None:
            return None
        import sqlite3  # noqa: PLC0415 - some Pythons have none, and only this setting needs it

        now = self._wall()
        try:
            offset = self._offset(str(file.path), file.inode)
        except (OSError, ValueError, OverflowError, sqlite3.Error) as error:
            self.close()
            self.trouble = f"{self._path}: {error}"
            return None
        self.trouble = ""
        return Progress(read_bytes=offset, at=now)

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _offset(self, name: str, inode: int) -> int:
        """Return what stands in the database; raise whatever stands against that."""
        try:
            status = os.lstat(self._path)
        except FileNotFoundError:
            if not self._path.parent.is_dir():
                raise
            self.close()
            return 0
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("this is no regular file")
        rows = self._open(status).execute(_OFFSETS, (name, inode)).fetchall()
        offsets = [offset for (offset,) in rows]
        if not all(isinstance(offset, int) for offset in offsets):
            raise ValueError("its offsets are no numbers")
        return max(0, min(offsets, default=0))

    def _open(self, status: os.stat_result) -> Connection:
        """Return a connection to the very file that is there now."""
        import sqlite3  # noqa: PLC0415 - see above

        identity = (status.st_dev, status.st_ino)
        now = self._clock()
        if identity != self._identity or now - self._opened >= REUSE_SECONDS:
            self.close()
        if self._connection is None:
            # Explain asks from the agent's thread as well, but it may be another one after a reload.
            self._connection = sqlite3.connect(
                f"file:{quote(str(self._path))}?mode=ro",
                uri=True,
                timeout=PATIENCE_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            self._identity, self._opened = identity, now
        return self._connection


def is_sqlite_there() -> bool:
    """Whether this Python has SQLite: some are built without it."""
    with contextlib.suppress(ImportError):
        import sqlite3  # noqa: F401, PLC0415 - only looked for

        return True
    return False
