"""Tries whether logs can be kept in a folder: one link is made, and removed at once."""

from __future__ import annotations

import os
from pathlib import Path

from kube_log_watcher_core.spool.disk import SpoolDisk
from kube_log_watcher_core.spool.linking import explained

_PREFIX = ".trial"
"""No name of a segment, nor of what waits, begins so; no shipper's pattern matches it."""


def trial(spool: Path, log: Path) -> str:
    """Link a log into the spool's own folder and remove the link; return what stands against it, if anything.

    ``log`` is a resolved path.
    """
    disk, name = SpoolDisk(), f"{_PREFIX}-{os.getpid()}"
    try:
        with disk.log(log.parent, log.name, log.stat().st_ino) as source, disk.folder(spool) as fd:
            disk.remove(fd, name)  # of one who was killed here
            disk.link(source, fd, name)
            disk.remove(fd, name)
    except OSError as error:
        return explained(error)
    return ""
