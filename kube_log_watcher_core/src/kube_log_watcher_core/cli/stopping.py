"""How a command ends that does not come to its end: by SIGTERM, or because nobody reads on."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

TERMINATED = 128 + signal.SIGTERM
"""The exit code of a command that was asked to stop before it had done its work."""
NOBODY_READS = 128 + signal.SIGPIPE
"""The exit code of a command whose reader has closed the pipe: the shell's, for programs that die of it."""

_LONGEST_POLL_SECONDS = 86_400.0
"""poll(2) takes milliseconds in 32 bits."""


def exit_on_sigterm(code: int) -> None:
    """Let SIGTERM end the process at once, with this exit code.

    Whatever is written is written atomically, so there is nothing to wait for. The daemon puts a
    handler of its own in this one's place.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        os._exit(code)

    _on_sigterm(end)


def unwind_on_sigterm() -> None:
    """Let SIGTERM end a command in order: what it has taken of the terminal is given back first."""

    def end(_number: int, _frame: FrameType | None) -> None:
        sys.exit(TERMINATED)

    _on_sigterm(end)


def _on_sigterm(end: Callable[[int, FrameType | None], None]) -> None:
    signal.signal(signal.SIGTERM, end)
    # Whoever started it may have blocked signals, for itself, and that is inherited.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})


def hold_early_sighup(arguments: Sequence[str]) -> None:
    """Let a request to read the settings again wait for the daemon; for other commands it is the end.

    The kernel keeps it, so that settings which changed while they were read for the first time count.
    """
    daemonic = not arguments or arguments[0] == "run" or arguments[0].startswith("-")
    signal.pthread_sigmask(signal.SIG_BLOCK if daemonic else signal.SIG_UNBLOCK, [signal.SIGHUP])


def pause(seconds: float) -> None:
    """Wait so long. Raises BrokenPipeError as soon as nobody reads standard output any more."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if not _can_be_watched():
            time.sleep(left)
        elif _nobody_reads(min(left, _LONGEST_POLL_SECONDS)):
            raise BrokenPipeError


@contextlib.contextmanager
def end_when_nobody_reads() -> Iterator[None]:
    """Let a command end without a word when standard output is a pipe that its reader has closed."""
    try:
        yield
    except BrokenPipeError:
        # Any other connection that breaks is nothing that may be passed over.
        if not (_can_be_watched() and _nobody_reads(0.0)):
            raise
        sys.exit(NOBODY_READS)


def drop_what_nobody_reads() -> None:
    """Drop what is still to be said to a reader who has gone: the interpreter would fail on it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _can_be_watched() -> bool:
    try:
        sys.stdout.fileno()
    except (OSError, ValueError):  # a test has put something else in its place
        return False
    return True


def _nobody_reads(wait_seconds: float) -> bool:
    output = select.poll()
    # Asked for nothing, it tells of errors and hang-ups alone.
    output.register(sys.stdout.fileno(), 0)
    return bool(output.poll(wait_seconds * 1000))


def stand_in_for_closed_streams() -> None:
    """Open /dev/null for each standard stream that whoever started the process has closed.

    Else the first file that is opened takes the stream's number, and what is said goes into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for good
