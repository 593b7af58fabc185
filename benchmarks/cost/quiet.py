"""What it costs while nothing happens, and what a full pass costs that changes nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cost.figures import Figure
from benchmarks.cost.plan import Plan
from benchmarks.cost.process import cpu_seconds, system_calls
from benchmarks.cost.reference import FloorProcess
from benchmarks.cost.stage import Stage
from kube_log_watcher_core import Layout

IDLE_AIM_MS = 20.0
PASS_AIM_MS = 50.0
PASSES = "kube_log_watcher_passes_total"


def measure(plan: Plan, folder: Path) -> Iterator[Figure]:
    """Measure with the largest number of containers, in each layout."""
    for layout in plan.layouts:
        yield from _idle(plan, folder / f"idle-{layout.value}", layout)
        yield _full_pass(plan, folder / f"pass-{layout.value}", layout)


def _idle(plan: Plan, folder: Path, layout: Layout) -> Iterator[Figure]:
    size, seconds = plan.largest, plan.idle_seconds
    with Stage(folder / "watcher", layout, size, plan=plan) as stage:
        stage.started()
        with FloorProcess(folder / "floor", stage) as floor:
            before = cpu_seconds(stage.pid), cpu_seconds(floor.pid)
            time.sleep(seconds)
            own, least = cpu_seconds(stage.pid) - before[0], cpu_seconds(floor.pid) - before[1]
            name, a_minute = f"{layout.value}, {size} containers", 60 / seconds
            floor_is = "floor: waits for inotify events"
            yield Figure(
                "Idle, beside the full passes",
                f"{name}, CPU",
                own * 1000 * a_minute,
                "ms/min",
                least * 1000 * a_minute,
                floor_is,
                IDLE_AIM_MS,
            )
            calls = system_calls(stage.pid, seconds=seconds, folder=folder)
            calls_floor = system_calls(floor.pid, seconds=1.0, folder=folder)
        stage.let_one_drain()
        draining = cpu_seconds(stage.pid)
        time.sleep(seconds)
        draining = cpu_seconds(stage.pid) - draining
    if calls is not None and calls_floor is not None:
        yield Figure(
            "Idle, beside the full passes",
            f"{name}, system calls",
            calls * a_minute,
            "per min",
            calls_floor * 60.0,
            floor_is,
        )
    yield Figure(
        "Idle, beside the full passes",
        f"{name}, CPU while one log drains: agents are asked every few seconds",
        draining * 1000 * a_minute,
        "ms/min",
        own * 1000 * a_minute,
        "nothing drains",
    )


def _full_pass(plan: Plan, folder: Path, layout: Layout) -> Figure:
    with Stage(folder, layout, plan.largest, plan=plan, environ={"WATCHER_INTERVAL": "1"}) as stage:
        stage.started()
        passes, cpu = stage.metric(PASSES, kind="full"), cpu_seconds(stage.pid)
        time.sleep(plan.passes)
        cpu = cpu_seconds(stage.pid) - cpu
        passes = stage.metric(PASSES, kind="full") - passes
        bare = _bare_listing(stage.node.containers_path)
    return Figure(
        "A full pass that changes nothing",
        f"{layout.value}, {plan.largest} containers, CPU",
        cpu / max(passes, 1) * 1000,
        "ms",
        bare * 1000,
        "one os.walk over the node's folders",
        PASS_AIM_MS,
    )


def _bare_listing(root: Path) -> float:
    """Return the processor time of listing all folders once, the best of three."""
    times = []
    for _ in range(3):
        began = time.process_time()
        for _ in os.walk(root):
            pass
        times.append(time.process_time() - began)
    return min(times)
