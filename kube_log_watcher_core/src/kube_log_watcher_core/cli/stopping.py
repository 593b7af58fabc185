"""What SIGTERM does while nothing needs an orderly end."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from types import FrameType

TERMINATED = 128 + signal.SIGTERM
"""The exit code of a command that did not come to its end."""


def exit_on_sigterm(code: int) -> None:
    """Let SIGTERM end the process at once, with this exit code.

    Whatever is written is written atomically, so there is nothing to wait for. The daemon puts a
    handler of its own in this one's place.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        os._exit(code)

    signal.signal(signal.SIGTERM, end)


def ignore_early_sighup(arguments: Sequence[str]) -> None:
    """Let the watcher outlive a request to read its settings again that comes before it has read them."""
    if not arguments or arguments[0] == "run" or arguments[0].startswith("-"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
