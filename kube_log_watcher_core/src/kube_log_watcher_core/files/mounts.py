"""Tells which names in a folder are mounted by themselves: nothing can be renamed onto those."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from kube_log_watcher_core.files.items import Owned

MOUNTS = Path("/proc/self/mountinfo")

_ESCAPE = re.compile(rb"\\([0-7]{3})")


def mounted_names(owned: Iterable[Owned]) -> list[Path]:
    """Return all files of these names that are mounted by themselves, as a subPath does it.

    Where the kernel doesn't tell, there are none.
    """
    try:
        lines = MOUNTS.read_bytes().splitlines()
    except OSError:
        return []
    # Spaces and the like stand there as octal numbers.
    fields = (_ESCAPE.sub(lambda found: bytes([int(found[1], 8)]), line.split(b" ")[4]) for line in lines)
    points = [Path(os.fsdecode(field)) for field in fields]
    return [
        home.folder / point.name
        for home in owned
        for point in points
        if point.parent == home.folder.resolve() and home.matches(home.folder / point.name)
    ]
