"""How far syslog-ng has read: a state for each file that it follows, in its persist file."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from kube_log_watcher_core import AgentConfigError, LogFile, Progress
from kube_log_watcher_static import read_bounded

_MAGIC = b"SLP4"
_KEY = re.compile(rb"affile_sd_curpos\(([^\0]{1,4096}?)\)(.{4})", re.DOTALL)
_STATE_BYTES = 72
_BIG_ENDIAN = 1
"""A flag in a state's second byte."""
_MOST_BYTES = 64 * 1024 * 1024
"""Of the file: a state and its key take some 300 bytes, and stay until syslog-ng is started again."""
_FRESH_SECONDS = 0.5
"""The file is mapped into memory: its time says nothing of what was written to it."""


class PersistFile:
    """The file in which syslog-ng keeps its positions. It is read anew, but not more often than makes sense.

    Parameters
    ----------
    wall
        the present time, in seconds since the epoch.
    clock
        a clock that nobody sets, in seconds.
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
        self._positions: Mapping[tuple[str, int], int] | None = None
        self._read_at = 0.0
        self._read_clock = float("-inf")
        self._inode = 0
        self.begun_at = float("-inf")
        """When syslog-ng was last found to have begun, by the clock: it then makes the file anew."""

    def check(self) -> None:
        """Look whether it can be read; it comes with syslog-ng's first start.

        Raises
        ------
        AgentConfigError
            when its folder isn't there, or it is no such file; with the remedy.
        """
        if not self._path.parent.is_dir():
            raise AgentConfigError(
                f"{self._path.parent} is no folder: mount the one in which syslog-ng keeps {self._path.name}"
            )
        try:
            parse_persist(read_bounded(self._path, _MOST_BYTES))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise AgentConfigError(
                f"{self._path} can't be read as syslog-ng's positions: {error}: name its persist file"
            ) from error

    def progress(self, file: LogFile) -> Progress:
        """Return how far syslog-ng has read a file and handed on what it read.

        Nothing, where it has no note of the path *and* inode, and also where its notes can't be read now: a
        file that is taken from it unread may be its end, so that none goes for another reason than that it is
        read.
        """
        now = self._clock()
        if self._is_another():
            self.begun_at, self._read_clock = now, float("-inf")
        if now - self._read_clock >= _FRESH_SECONDS:
            at = self._wall()
            try:
                self._positions = parse_persist(read_bounded(self._path, _MOST_BYTES))
            except (OSError, ValueError):
                self._positions = None
            self._read_at, self._read_clock = at, now
        positions = self._positions or {}
        read = 0 if file.inode is None else positions.get((str(file.path), file.inode), 0)
        return Progress(read_bytes=read, at=self._read_at)

    def _is_another(self) -> bool:
        """Whether it is another file than it was; one that can't be seen is none."""
        try:
            inode = self._path.stat().st_ino
        except OSError:
            inode = 0
        before, self._inode = self._inode, inode
        return inode not in (0, before)


def parse_persist(content: bytes) -> Mapping[tuple[str, int], int]:
    """Return how many bytes of each file were read and handed on, by its path and inode.

    A key is a text with its length before it and the place of its state after it, both big-endian. A state
    has a header of its own: its length, and whether it is in use.

    Raises
    ------
    ValueError
        for what is no persist file.
    """
    if not content.startswith(_MAGIC):
        raise ValueError("it doesn't begin as a persist file does")
    positions = {}
    for key in _KEY.finditer(content):
        length = int.from_bytes(content[key.start() - 4 : key.start()])
        place = int.from_bytes(key[2])
        state = content[place : place + _STATE_BYTES]
        header = content[place - 8 : place]
        if length != key.end(1) + 1 - key.start() or len(state) != _STATE_BYTES or place < len(header):
            continue  # a path with such words in it, or a key that is being written
        if int.from_bytes(header[:4]) != _STATE_BYTES or not header[4]:
            continue
        order = ">" if state[1] & _BIG_ENDIAN else "<"
        (buffered,) = struct.unpack_from(f"{order}I", state, 4)
        (handed_on,) = struct.unpack_from(f"{order}q", state, 24)
        (inode,) = struct.unpack_from(f"{order}q", state, 64)
        positions[key[1].decode("utf-8", "surrogateescape"), inode] = handed_on + buffered
    return positions
