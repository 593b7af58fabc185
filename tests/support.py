"""What tests of all kinds need."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_SECONDS = 0.01


def wait_until(test: Callable[[], object], *, timeout: float = 5.0, what: str = "the condition") -> None:
    """Wait until `test` gives something true. Raises `AssertionError` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not test():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not hold within {timeout} s")
        time.sleep(POLL_SECONDS)
