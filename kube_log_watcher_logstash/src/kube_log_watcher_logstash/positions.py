"""How far Logstash has read, by the ``sincedb`` of its file input.

A line has inode, major and minor number of the device, position, time and path::

    2408635 254 0 28 1795578244.1473258 /spool/default_shop-1_uid/main-id.1764040000.log

There is no path where the file is gone, or where an early version of Logstash has written it.
"""

from __future__ import annotations

import os
import re
from typing import Final

from kube_log_watcher_static import Offsets

_NOTE: Final = re.compile(rb"([0-9]{1,20}) [0-9]+ [0-9]+ ([0-9]{1,20}) [0-9.eE+-]+ ([^\n]+)\n")


def parse_sincedb(content: bytes) -> Offsets:
    """Return the offsets by path and inode; a line without a path is of no file that is there."""
    notes = (match for line in content.splitlines(keepends=True) if (match := _NOTE.fullmatch(line)))
    return {(os.fsdecode(match[3]), int(match[1])): int(match[2]) for match in notes}
