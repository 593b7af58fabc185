"""On what it was measured."""

from __future__ import annotations

import os
import platform
import re
import time
from pathlib import Path


def describe() -> dict[str, object]:
    """Name the processor, the interpreter and the load, with a fixed piece of work as a yardstick."""
    return {
        "processor": _processor(),
        "processors": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load at the start": os.getloadavg()[0],
        "a million additions, ms": round(_yardstick() * 1000, 1),
    }


def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return found[1] if found else platform.machine()


def _yardstick() -> float:
    """Return the processor time of a million additions: how fast this machine is just now."""
    began, total = time.process_time(), 0
    for number in range(1_000_000):
        total += number
    return time.process_time() - began
