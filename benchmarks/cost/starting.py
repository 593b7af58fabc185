"""How long a start takes, and that a restart writes nothing anew."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cost.figures import Figure, median
from benchmarks.cost.plan import Plan
from benchmarks.cost.process import cpu_seconds
from benchmarks.cost.reference import ROOT
from benchmarks.cost.stage import Stage

START_AIMS = {1000: 1.0}
GROUP = "Start to complete configuration"


def measure(plan: Plan, folder: Path) -> Iterator[Figure]:
    """Start with the largest number of containers, several times, each in fresh folders; then restart."""
    bare, imports = (
        _interpreter("pass"),
        _interpreter("import kube_log_watcher_core.cli.app, kube_log_watcher_core.cli.run"),
    )
    taken, plain = [], []
    for layout in plan.layouts:
        for number in range(plan.starts):
            with Stage(folder / f"start-{layout.value}-{number}", layout, plan.largest, plan=plan) as stage:
                taken.append(stage.start() - bare)
                plain.append(_plain(stage, folder / f"plain-{layout.value}-{number}"))
        yield Figure(
            GROUP,
            f"{layout.value}, {plan.largest} containers, after the interpreter is up",
            median(taken),
            "s",
            median(plain),
            "list and json.loads, same files with fsync, no watcher",
            START_AIMS.get(plan.largest),
        )
        taken, plain = [], []
    yield Figure(GROUP, "of that, imports of the command", imports - bare, "s", bare, "python -c pass")
    yield from _restart(plan, folder / "restart")


def _restart(plan: Plan, folder: Path) -> Iterator[Figure]:
    with Stage(folder, plan.layouts[-1], plan.largest, plan=plan) as stage:
        stage.started()
        before = stage.shelf.identities()
        stage.watcher.stop()
        stage.watcher.start()
        for agent in ("scalyr", "appdynamics"):
            stage.wait_metric("kube_log_watcher_agent_syncs_total", 1, agent=agent, result="success")
        cpu = cpu_seconds(stage.pid)
        stage.settle()
        after = stage.shelf.identities()
    rewritten = sum(before.get(path) != identity for path, identity in after.items())
    rewritten += len(before.keys() - after.keys())
    yield Figure(
        GROUP,
        "restart with nothing changed: files and links written anew",
        rewritten,
        "files",
        len(before),
        "files and links that are there",
        0.0,
    )
    yield Figure(GROUP, "restart with nothing changed: CPU, imports and all", cpu, "s")


def _interpreter(code: str) -> float:
    """Return the seconds that a process takes which only runs this: the median of five."""
    times = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
        times.append(time.monotonic() - began)
    return median(times)


def _plain(stage: Stage, out: Path) -> float:
    out.mkdir()
    first = stage.shelf.job(stage.containers[0].id)
    arguments = (stage.api.url, out, stage.shelf.config, first, len(stage.containers))
    program = [sys.executable, "-m", "benchmarks.cost.plain_start", *map(str, arguments)]
    return float(subprocess.run(program, check=True, cwd=ROOT, capture_output=True, text=True).stdout)
