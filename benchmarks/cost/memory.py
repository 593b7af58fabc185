"""How much memory it takes, and whether that stays the same over thousands of changes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cost.figures import Figure
from benchmarks.cost.plan import Plan
from benchmarks.cost.process import peak_mib, resident_mib
from benchmarks.cost.stage import Stage
from kube_log_watcher_core import Layout

AIMS = {100: 44.0, 1000: 52.0}
GROWTH_AIM_MIB = 1.0
"""What counts as flat."""
BATCH = 50
DRAIN_SECONDS = 1
_BASE = "import requests, stevedore, attrs, time; print(flush=True); time.sleep(60)"


def measure(plan: Plan, folder: Path) -> Iterator[Figure]:
    """Measure at the two largest sizes with metrics scraped, then over thousands of changes."""
    base = _base()
    for size in sorted({plan.middle, plan.largest}):
        with Stage(folder / f"memory-{size}", Layout.CRI, size, plan=plan) as stage:
            stage.started()
            for _ in range(3):
                stage.metric("kube_log_watcher_targets")
            resident, peak = resident_mib(stage.pid), peak_mib(stage.pid)
        reference = "interpreter with requests, stevedore, attrs"
        yield Figure(
            "Memory", f"{size} containers, resident", resident, "MiB", base, reference, AIMS.get(size)
        )
        yield Figure("Memory", f"{size} containers, the most since the start", peak, "MiB", base, reference)
    yield _growth(plan, folder / "flat")


def _growth(plan: Plan, folder: Path) -> Figure:
    """Let labels change and containers be replaced; compare after a fifth of the changes and at the end."""
    # What drains for longer is no growth.
    environ = {"WATCHER_DRAIN_SECONDS": str(DRAIN_SECONDS)}
    with Stage(folder, Layout.CRI, plan.middle, plan=plan, small=True, environ=environ) as stage:
        stage.started()
        first = 0.0
        for done in range(0, plan.flat_changes, BATCH):
            if not first and done >= plan.flat_changes / 5:
                first = resident_mib(stage.pid)
            _change(stage, done)
        time.sleep(DRAIN_SECONDS)
        stage.settle()
        last = resident_mib(stage.pid)
    return Figure(
        "Memory",
        f"growth over {plan.flat_changes:,} changes, after the first fifth of them",
        last - first,
        "MiB",
        first,
        "resident after a fifth of them",
        GROWTH_AIM_MIB,
    )


def _change(stage: Stage, number: int) -> None:
    """Replace one container, and give all but one of a batch's pods another label."""
    count = min(BATCH, len(stage.containers))
    old, new = stage.containers.pop(0), stage.add(f"flat-{number}")
    stage.containers.append(new)
    stage.shelf.arrivals([new.id])
    stage.end(old)
    for each in stage.containers[: count - 1]:
        stage.api.relabel(each.namespace, each.pod, version=f"v{number}")
    last = stage.containers[count - 2]
    deadline = time.monotonic() + 30
    while f'"v{number}"' not in stage.shelf.job(last.id).read_text(encoding="utf-8"):
        if time.monotonic() > deadline:
            raise TimeoutError("a label did not arrive")
        time.sleep(0.005)
    stage.api.compact()


def _base() -> float:
    with subprocess.Popen([sys.executable, "-c", _BASE], stdout=subprocess.PIPE) as process:
        _wait_line(process)
        resident = resident_mib(process.pid)
        process.kill()
    return resident


def _wait_line(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process says its first line."""
    if process.stdout is not None:
        process.stdout.readline()
