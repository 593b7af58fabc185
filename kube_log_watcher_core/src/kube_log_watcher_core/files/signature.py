"""Tells a file's state from its next one, without reading it."""

from __future__ import annotations

import os
from pathlib import Path

Signature = tuple[int, int, int]
"""Inode, time of the last change in nanoseconds, size."""


def signature_of(status: os.stat_result) -> Signature:
    """Return what changes whenever a file is written or replaced.

    The kubelet replaces the files of a ConfigMap, a Secret or a token by moving a link (``..data``) to a
    folder with new ones, which shows in the inode of what the link leads to.
    """
    return status.st_ino, status.st_mtime_ns, status.st_size


def signature(path: Path | None) -> Signature | None:
    """Return a file's signature, that of what a link leads to; None when there is none to be had."""
    if path is None:
        return None
    try:
        return signature_of(path.stat())
    except (OSError, ValueError):  # a name with a NUL
        return None
