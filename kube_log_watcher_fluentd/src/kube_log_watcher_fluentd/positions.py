"""How far Fluentd has read, by its ``pos_file``: path, offset and inode, with tabs between, in hexadecimal.

It is written in place and at once. A file that Fluentd follows no more has an offset of ones alone.
"""

from __future__ import annotations

import os
import re
from typing import Final

from kube_log_watcher_static import Offsets

_NOTE: Final = re.compile(rb"([^\t]+)\t([0-9a-f]{16})\t([0-9a-f]{16})")
_UNWATCHED: Final = 0xFFFF_FFFF_FFFF_FFFF


def parse_pos_file(content: bytes) -> Offsets:
    """Return the offsets by path and inode; half a line, which is being written, is no note."""
    # Line by line: to search the whole for a note would take the square of its length where there is none.
    *whole, _ = content.split(b"\n")
    notes = (match for line in whole if (match := _NOTE.fullmatch(line)))
    return {
        (os.fsdecode(note[1]), int(note[3], 16)): offset
        for note in notes
        if (offset := int(note[2], 16)) != _UNWATCHED
    }
