"""How far Fluentd has read, by its ``pos_file``: path, offset and inode, with tabs between, in hexadecimal.

It is written in place and at once. A file that Fluentd follows no more has an offset of ones alone.
"""

from __future__ import annotations

import os
import re
from typing import Final

from kube_log_watcher_static import Offsets

_NOTE: Final = re.compile(rb"([^\t\n]+)\t([0-9a-f]{16})\t([0-9a-f]{16})\n")
_UNWATCHED: Final = 0xFFFF_FFFF_FFFF_FFFF


def parse_pos_file(content: bytes) -> Offsets:
    """Return the offsets by path and inode; half a line, which is being written, is no note."""
    notes = ((path, int(offset, 16), int(inode, 16)) for path, offset, inode in _NOTE.findall(content))
    return {(os.fsdecode(path), inode): offset for path, offset, inode in notes if offset != _UNWATCHED}
