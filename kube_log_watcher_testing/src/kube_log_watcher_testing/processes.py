"""Processes that start with default signals, however whoever starts them was started.

A shell lets what it runs in the background ignore SIGINT (``make test &``), ``nohup`` lets it ignore
SIGHUP, and a parent may have blocked signals. All of that is inherited: a child that is sent a signal
which it never gets is waited for in vain.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_BY_THE_INTERPRETER = {signal.SIGPIPE, getattr(signal, "SIGXFSZ", None)}
"""Python ignores these itself, and `subprocess` gives them back to children."""


@contextmanager
def default_signals() -> Iterator[None]:
    """Let the processes that are started in the block, in this thread, ignore and block no signal.

    What this process ignores it goes on ignoring, by a handler that does nothing: handlers are not
    inherited. Only the main thread can set them; in any other only blocked signals are seen to.
    """
    ignored = _ignored() if threading.current_thread() is threading.main_thread() else []
    for number in ignored:
        signal.signal(number, _do_nothing)
    blocked = signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


def _ignored() -> list[int]:
    return [
        number
        for number in signal.valid_signals() - _BY_THE_INTERPRETER
        if signal.getsignal(number) is signal.SIG_IGN
    ]


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    """Stand for SIG_IGN."""
