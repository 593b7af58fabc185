"""How far Vector has read, by the ``checkpoints.json`` of its file source.

It knows a file by its fingerprint. Of those, only device and inode can be found out without reading a log::

    {"version": "1", "checkpoints": [
        {"fingerprint": {"dev_inode": [2049, 4711]}, "position": 42, "modified": "2026-11-25T03:17:33.523Z"},
        {"fingerprint": {"first_lines_checksum": 13113131}, "position": 42, "modified": "..."}]}

There is no path, and an inode may have been another file's a moment ago. But a position that was noted
after the last write to a file is about that file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime

import attrs

from kube_log_watcher_core import LogFile


@attrs.frozen
class Checkpoint:
    """What is noted of one file."""

    position: int
    """Bytes that were read of it."""
    modified: float
    """When that was noted last, in seconds since the epoch."""


Checkpoints = Mapping[tuple[int, int], Checkpoint]
"""By device and inode."""


def parse_checkpoints(content: bytes) -> Checkpoints:
    """Return what is noted by device and inode.

    Raises
    ------
    ValueError
        when these are no checkpoints of a version that is known, or none is by device and inode.
    """
    try:
        document = json.loads(content)
        if document["version"] != "1":
            raise ValueError(f"checkpoints of version {document['version']!r} are not known")
        noted = [each for each in document["checkpoints"] if "dev_inode" in each["fingerprint"]]
        if document["checkpoints"] and not noted:
            raise ValueError("the fingerprints are not of device and inode")
        return {_identity(each["fingerprint"]["dev_inode"]): _checkpoint(each) for each in noted}
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no checkpoints: {error!r}") from error


def _identity(pair: list[int]) -> tuple[int, int]:
    device, inode = pair
    return int(device), int(inode)


def _checkpoint(entry: Mapping[str, str]) -> Checkpoint:
    modified = datetime.fromisoformat(entry["modified"])
    return Checkpoint(int(entry["position"]), modified.timestamp())


def read_of(checkpoints: Checkpoints, file: LogFile) -> int:
    """Return what was read of a file, by what was noted since it was written to last.

    Raises
    ------
    OSError
        when the file can't be looked at: nobody knows then.
    """
    status = os.stat(file.path, follow_symlinks=False)
    noted = checkpoints.get((status.st_dev, status.st_ino))
    if noted is None or status.st_ino != file.inode or noted.modified < status.st_mtime:
        return 0
    return noted.position
