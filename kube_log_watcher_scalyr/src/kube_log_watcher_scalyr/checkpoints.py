"""How far the Scalyr agent has come, from the checkpoints that it writes into its data folder.

There is ``checkpoints.json``, written when the agent starts, stops or takes a new configuration; and
for each of its workers ``checkpoints-worker-<id>.json`` (all logs, every minute) and
``active-checkpoints-worker-<id>.json`` (logs with news since then, after each request). They have the
same form, and the latest checkpoint of a log counts::

    {"time": 1.5, "checkpoints": {"/path/of.log": {
        "time": 1.5, "position": 0, "sequence_id": "...", "sequence_number": 4711,
        "pending_files": [{"position_start": -4711, "position_end": 0, "last_known_size": 4711,
                           "inode": 7, "is_log_file": true}]}}}

The path is that of the file itself, not the pattern that ``agent.json`` has for it. Positions count
from the first byte that is not shipped; a file's own first byte is at ``position_start``. Files that
are read and no longer have that path are left out.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from kube_log_watcher_core import Progress
from kube_log_watcher_scalyr.plain import open_unlinked

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of all files together: some 20,000 logs. What they say is kept in memory, and takes many times as much."""
MOST_FILES: Final = 100
_NAME: Final = re.compile(r"(?:active-)?checkpoints(?:-worker-[A-Za-z0-9_.-]{1,100})?\.json")

_Identity = tuple[int, int, int]


@attrs.frozen
class _CheckpointFile:
    """What one file says."""

    identity: _Identity
    written: float
    states: Mapping[str, Any]

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.identity[2]


class Checkpoints:
    """Reads the files when they have changed, and only when somebody asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, _CheckpointFile] = {}
        self._is_readable = True

    def progress(self, path: Path, *, inode: int | None = None) -> Progress | None:
        """Return how far a log is read; None when the agent doesn't tell.

        With an inode only what it says of that very file counts: another may have had the path before.
        """
        self._read()
        found = (
            progress_of(state, each.written)
            for each in self._files.values()
            if (state := each.states.get(str(path))) is not None
            if inode is None or _is_about(state, inode)
        )
        return max((each for each in found if each is not None), key=lambda each: each.at, default=None)

    def unread(self) -> Progress | None:
        """Return that nothing is read of a log that no checkpoint knows, as of the latest of them."""
        times = [each.written for each in self._files.values()]
        return Progress(read_bytes=0, at=max(times), pending=True) if times else None

    def _read(self) -> None:
        try:
            names = sorted(name for name in os.listdir(self._folder) if _NAME.fullmatch(name))[:MOST_FILES]
        except OSError as error:
            if self._is_readable:
                logger.warning("how far the Scalyr agent has read can't be told: %s", error)
            self._files, self._is_readable = {}, False
            return
        self._is_readable = True
        files, left = {}, MOST_BYTES
        for name in names:
            file = _file_at(self._folder / name, self._files.get(name), longest=left)
            if file is not None:
                files[name] = file
                left -= file.size
        self._files = files


def _file_at(path: Path, known: _CheckpointFile | None, *, longest: int) -> _CheckpointFile | None:
    """Read a file, unless it is the one that is known; None where it can't be, or is none to be read."""
    try:
        with open(path, "rb", opener=open_unlinked) as opened:
            status = os.fstat(opened.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > longest:
                return None
            identity = (status.st_ino, status.st_mtime_ns, status.st_size)
            if known is not None and known.identity == identity:
                return known
            content = opened.read(longest)
    except OSError:
        return None
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("checkpoints"), dict):
        return _CheckpointFile(identity, status.st_mtime, {})
    written = _number(document.get("time"))
    states = document["checkpoints"]
    return _CheckpointFile(identity, status.st_mtime if written is None else written, states)


def progress_of(state: object, written: float) -> Progress | None:
    """Understand one log's state; None where it makes no sense. ``written`` stands in for its own time."""
    if not isinstance(state, Mapping) or not isinstance(state.get("pending_files"), list):
        return None
    at = _number(state.get("time"))
    files = [_span(file) for file in state["pending_files"]]
    spans = [span for span in files if span is not None]
    position, shipped = _number(state.get("position")), _number(state.get("sequence_number"))
    if position is None or len(spans) < len(files) or not (spans or shipped is not None):
        return None
    # All is read and the file is closed: what is left is the count of all that was shipped from this path.
    offset = position - spans[-1][0] if spans else shipped
    return Progress(
        read_bytes=max(int(offset or 0), 0),
        at=written if at is None else at,
        pending=any(end > position for _, end in spans),
        closed=not spans,
    )


def _is_about(state: object, inode: int) -> bool:
    files = state.get("pending_files") if isinstance(state, Mapping) else None
    return isinstance(files, list) and any(
        isinstance(file, Mapping) and file.get("inode") == inode for file in files
    )


def _span(file: object) -> tuple[float, float] | None:
    if not isinstance(file, Mapping):
        return None
    start, end = _number(file.get("position_start")), _number(file.get("position_end"))
    return None if start is None or end is None else (start, end)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e18:
        return None
    return value if math.isfinite(value) else None
