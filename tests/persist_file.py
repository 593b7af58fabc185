"""A persist file as syslog-ng writes it, with states of files alone."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from kube_log_watcher_core import LogFile

HEAD_BYTES = 4096
STATE_BYTES = 72


def written(offsets: Mapping[LogFile, int], *, order: str = "<", in_use: bool = True) -> bytes:
    """Return the content: a head, for each file a key with the place of its state, then the states."""
    keys = [f"affile_sd_curpos({file.path})".encode() for file in offsets]
    place = HEAD_BYTES + sum(len(key) + 8 for key in keys)
    told, states = b"", b""
    for (file, read), key in zip(offsets.items(), keys, strict=True):
        states += struct.pack(">IBBH", STATE_BYTES, in_use, 4, 0)
        told += struct.pack(">I", len(key)) + key + struct.pack(">I", place + len(states))
        state = bytearray(STATE_BYTES)
        state[1] = order == ">"
        struct.pack_into(f"{order}I", state, 4, read % 10)
        struct.pack_into(f"{order}q", state, 24, read - read % 10)
        struct.pack_into(f"{order}q", state, 64, file.inode or 0)
        states += state
    return b"SLP4".ljust(HEAD_BYTES, b"\0") + told + states
