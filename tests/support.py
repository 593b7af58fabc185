"""What tests of all kinds need."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

POLL_SECONDS = 0.01
WAIT_SECONDS = 30.0
"""How long something is waited for: far longer than it takes, for machines that have much else to do."""
SOON_SECONDS = 20.0
"""In which something ends that waits for nothing, on such a machine; all else that waits takes longer."""


LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Reads YAML as `yaml.safe_load` does, ten times as fast."""


def wait_until(
    test: Callable[[], object], *, timeout: float = WAIT_SECONDS, what: str = "the condition"
) -> None:
    """Wait until `test` gives something true. Raises `AssertionError` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not test():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not hold within {timeout} s")
        time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def soon(what: str = "it") -> Iterator[None]:
    """Expect a block to come to its end without waiting for anything but the machine."""
    began = time.monotonic()
    yield
    taken = time.monotonic() - began
    assert taken < SOON_SECONDS, f"{what} took {taken:.1f} s"


@contextlib.contextmanager
def child(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process for as long as the block: it ends with it, also where the block fails."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.kill()
