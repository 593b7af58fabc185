"""A folder that can be seen, and whose opening takes for ever, as on a network's file system that is gone.

It is a real mount: this process stands in for the file system (FUSE) and answers what is asked about the
folder, but not the request to open it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import stat
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

_REQUEST = struct.Struct("<IIQQIIII")
_ANSWER = struct.Struct("<IiQ")
_INIT, _GETATTR, _ACCESS, _OPENDIR = 26, 3, 34, 27
_NO_ANSWER = {2, 36, 38, 42}
"""Requests that want none: forget, interrupt, destroy."""
_NOT_IMPLEMENTED = -38
_MNT_DETACH = 2
_FOR_EVER = 2**31


class StalledFolder:
    """A mounted folder of which `waiting` tells how many are opening it."""

    def __init__(self, folder: Path) -> None:
        self.waiting = 0
        self._folder = os.fsencode(folder)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        if self._libc.mount(b"stalled", self._folder, b"fuse", 0, options) != 0:
            os.close(self._device)
            raise OSError(ctypes.get_errno(), "can't be mounted")
        self._end, self._ended = os.pipe()
        self._thread = threading.Thread(target=self._serve, name="stalled-folder", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let whoever waits fail, and give the folder back as it was."""
        os.close(self._ended)
        self._thread.join(30)
        os.close(self._device)
        os.close(self._end)
        self._libc.umount2(self._folder, _MNT_DETACH)

    def _serve(self) -> None:
        while self._end not in select.select([self._device, self._end], [], [])[0]:
            request = os.read(self._device, 1 << 17)
            _, operation, unique, *_ = _REQUEST.unpack_from(request)
            if operation == _OPENDIR:
                self.waiting += 1
            elif operation not in _NO_ANSWER:
                error, content = _answer(operation)
                length = _ANSWER.size + len(content)
                os.write(self._device, _ANSWER.pack(length, error, unique) + content)


def _answer(operation: int) -> tuple[int, bytes]:
    if operation == _INIT:
        return 0, struct.pack("<IIIIHHIIHH8I", 7, 31, 0, 0, 1, 1, 4096, 1, 1, 0, *[0] * 8)
    if operation == _GETATTR:
        times = (0, 0, 0, 0, 0, 0)
        mode = stat.S_IFDIR | 0o755
        attributes = struct.pack("<6Q10I", 1, *times[1:], 0, 0, 0, mode, 2, 0, 0, 0, 4096, 0)
        return 0, struct.pack("<QII", _FOR_EVER, 0, 0) + attributes
    return (0, b"") if operation == _ACCESS else (_NOT_IMPLEMENTED, b"")


@contextlib.contextmanager
def stalled(folder: Path) -> Iterator[StalledFolder]:
    """Make opening a folder take for ever, for as long as the block."""
    try:
        mounted = StalledFolder(folder)
    except OSError as error:
        pytest.skip(f"no file system of one's own here: {error}")
    try:
        yield mounted
    finally:
        mounted.close()
