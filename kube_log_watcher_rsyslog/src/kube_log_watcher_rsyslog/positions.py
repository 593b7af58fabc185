"""How far rsyslog has read: a file of its work directory for each file that it follows."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kube_log_watcher_core import AgentConfigError, LogFile, Progress
from kube_log_watcher_static import read_bounded

_PREFIX = "imfile-state:"
_MOST_BYTES = 16 * 1024 * 1024
"""Of a state: it holds the beginning of a line that is not at its end."""
_CLOCK_SECONDS = 0.1
"""A file system's clock may stand still for so long: two changes have the same time."""


class StateFolder:
    """rsyslog's work directory, in which imfile notes how far it is with each file.

    Parameters
    ----------
    wall
        the present time, in seconds since the epoch.
    """

    def __init__(self, folder: Path, *, wall: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._wall = wall
        self._seen = -1.0
        self._names: Mapping[int, list[str]] = {}

    def check(self) -> None:
        """Look whether the folder can be read.

        Raises
        ------
        AgentConfigError
            when it can't; with the remedy.
        """
        try:
            os.listdir(self._folder)
        except OSError as error:
            raise AgentConfigError(
                f"rsyslog's work directory {self._folder} can't be read: {error}: mount what workDirectory "
                "names, or leave the setting away"
            ) from error

    def progress(self, file: LogFile) -> Progress | None:
        """Return how far rsyslog is with a file; None only where its inode isn't known.

        A note counts for the path *and* inode that it names. Of a file without one nothing was read, and also
        where notes can't be read: rsyslog is writing one, say, and what it has not read must not go by time.
        """
        if file.inode is None:
            return None
        now = self._wall()
        try:
            states = [parse_state(content) for content in self._states(file.inode, now)]
        except (OSError, ValueError):
            states = []
        # A state's name gets a hash when the file has grown; for a moment there are two of them.
        return Progress(
            read_bytes=max((read for path, read in states if path == str(file.path)), default=0), at=now
        )

    def _states(self, inode: int, now: float) -> Iterator[bytes]:
        changed = os.stat(self._folder).st_mtime
        if changed != self._seen or abs(now - changed) < _CLOCK_SECONDS:
            names: dict[int, list[str]] = {}
            for name in os.listdir(self._folder):
                number = name.removeprefix(_PREFIX).partition(":")[0]
                if name.startswith(_PREFIX) and number.isascii() and number.isdigit():
                    names.setdefault(int(number), []).append(name)
            self._names, self._seen = names, changed
        for name in self._names.get(inode, ()):
            try:
                yield read_bounded(self._folder / name, _MOST_BYTES)
            except FileNotFoundError:  # it is written anew under another name just now
                continue


def parse_state(content: bytes) -> tuple[str, int]:
    """Return the path that a state of imfile is about, and how many bytes of the file were handed on.

    The beginning of a message that has not come to its end was read, and is in nobody's hands yet.

    Raises
    ------
    ValueError
        for what is no such state.
    """
    try:
        state = json.loads(content)
        path = state["filename"]
        read = state["strt_offs"] if state.get("prev_msg_segment") else state["curr_offs"]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no state of imfile: {error!r}") from error
    if not isinstance(path, str) or not isinstance(read, int):
        raise ValueError("no state of imfile")
    return path, read
