"""What the kernel says of a process."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

_CPUCLOCK_SCHED = 2


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process so far, of all its threads, also those that have ended."""
    # What clock_getcpuclockid(3) gives: the scheduler's own count, in nanoseconds.
    return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)


def resident_mib(pid: int) -> float:
    """Return the memory that a process has in RAM."""
    return _status(pid, "VmRSS") / 1024


def peak_mib(pid: int) -> float:
    """Return the most memory that a process has had in RAM."""
    return _status(pid, "VmHWM") / 1024


def _status(pid: int, field: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0


def system_calls(pid: int, *, seconds: float, folder: Path) -> int | None:
    """Count a process's system calls for a while; None when ``strace`` can't."""
    if shutil.which("strace") is None:
        return None
    report = folder / f"strace-{pid}"
    tracer = subprocess.Popen(
        ["strace", "-q", "-c", "-f", "-U", "name,calls", "-p", str(pid), "-o", str(report)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        tracer.wait(seconds)
        return None
    tracer.send_signal(signal.SIGINT)
    tracer.wait(30)
    return _calls(report.read_text(encoding="utf-8"))


def _calls(report: str) -> int:
    """Sum up the lines of a report: a name and a number each, a head, a total."""
    rows = (line.split() for line in report.splitlines())
    return sum(int(row[-1]) for row in rows if len(row) == 2 and row[-1].isdigit() and row[0] != "total")
