"""Wakes the main loop from threads and from signal handlers."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterable


class WakeUp:
    """A pipe whose reading end becomes readable when somebody calls."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._closing = threading.Lock()
        self._closed = False

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._read

    def call(self) -> None:
        """Wake the loop; from any thread, also when it is no more."""
        # A full pipe wakes it as well. Once it is closed, its number may stand for anybody's file.
        with self._closing, contextlib.suppress(BlockingIOError):
            if not self._closed:
                os.write(self._write, b"\0")

    def clear(self) -> None:
        """Take all calls so far."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read, 4096):
                pass

    def writer(self) -> int:
        """Return the descriptor that ``signal.set_wakeup_fd`` writes to."""
        return self._write

    def close(self) -> None:
        """Close both ends; who calls from now on wakes nobody."""
        with self._closing:
            self._closed = True
            os.close(self._read)
            os.close(self._write)


class Signals:
    """Counts signals in handlers that do nothing else; installed in the main thread only."""

    def __init__(self, wakeup: WakeUp, numbers: Iterable[signal.Signals]) -> None:
        self._seen: set[int] = set()
        # The interpreter writes to the descriptor itself, so a signal between a check and `select` counts.
        signal.set_wakeup_fd(wakeup.writer(), warn_on_full_buffer=False)
        self._before = {
            number: signal.signal(number, lambda came, _frame: self._seen.add(came)) for number in numbers
        }
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._before)  # what came early comes now

    def came(self, *numbers: signal.Signals) -> bool:
        """Whether one of these came and was not taken yet."""
        return not self._seen.isdisjoint(numbers)

    def take(self, *numbers: signal.Signals) -> bool:
        """Whether one of these came since the last time."""
        came = self._seen.intersection(numbers)
        self._seen -= came
        return bool(came)

    def restore(self) -> None:
        """Put back the handlers that were there before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
