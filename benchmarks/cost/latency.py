"""How soon a new log is followed: from its appearance to the complete configuration on disk."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.cost.figures import Figure, median, percentile
from benchmarks.cost.plan import Plan
from benchmarks.cost.reference import FloorProcess
from benchmarks.cost.shelf import Shelf
from benchmarks.cost.stage import Stage
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_node import FakeContainer, FakeNode

P50_AIMS = {100: 20.0}
P99_AIMS = {100: 100.0}
FLOOR_TIMES = 5.0


def measure(plan: Plan, folder: Path) -> Iterator[Figure]:
    """Measure each layout at each size: single changes, also while a log drains, then a burst."""
    for layout in plan.layouts:
        for size in plan.sizes:
            yield from _at(plan, folder / f"latency-{layout.value}-{size}", layout, size)


def _at(plan: Plan, folder: Path, layout: Layout, size: int) -> Iterator[Figure]:
    with Stage(folder / "watcher", layout, size, plan=plan) as stage:
        stage.started()
        with FloorProcess(folder / "floor", stage) as floor:
            pairs = [_pair(stage, floor, number) for number in range(plan.latencies)]
            stage.let_one_drain()
            further = range(plan.latencies, 2 * plan.latencies)
            beside_drain = [_pair(stage, floor, number)[0] for number in further]
        burst = _burst(stage, plan.burst)
    own, least = [own for own, _ in pairs], [least for _, least in pairs]
    name, group = f"{layout.value}, {size} containers", "Detection latency, first change after quiet"
    yield Figure(
        group, f"{name}, p50 while one log drains", median(beside_drain), "ms", median(own), "nothing drains"
    )
    yield from _figures(group, name, size, own, least)
    yield Figure(
        "Detection latency in a burst",
        f"{name}, {plan.burst} at once, p50",
        median(burst),
        "ms",
        median(own),
        "first change after quiet",
    )
    yield Figure("Detection latency in a burst", f"{name}, {plan.burst} at once, the last", max(burst), "ms")


def _figures(
    group: str, name: str, size: int, own: Sequence[float], least: Sequence[float]
) -> Iterator[Figure]:
    floor = "floor: minimal inotify loop, same bytes"
    p50, p50_floor = median(own), median(least)
    yield Figure(group, f"{name}, p50", p50, "ms", p50_floor, floor, P50_AIMS.get(size))
    if size in P50_AIMS:
        yield Figure(
            group,
            f"{name}, p50 as a multiple of the floor",
            p50 / p50_floor,
            "times",
            1.0,
            floor,
            FLOOR_TIMES,
        )
    yield Figure(group, f"{name}, p95", percentile(own, 0.95), "ms", percentile(least, 0.95), floor)
    yield Figure(
        group, f"{name}, p99", percentile(own, 0.99), "ms", percentile(least, 0.99), floor, P99_AIMS.get(size)
    )


def _pair(stage: Stage, floor: FloorProcess, number: int) -> tuple[float, float]:
    """Return the watcher's latency and the floor's in milliseconds, one right after the other."""
    prepared, beside = stage.prepare(), floor.prepare(number)
    stage.quiet_down()
    own = _latency(stage.node, stage.shelf, [prepared])[0]
    least = _latency(floor.node, floor.shelf, [beside])[0]
    stage.remove(prepared)
    return own, least


def _burst(stage: Stage, count: int) -> list[float]:
    prepared = [stage.prepare() for _ in range(count)]
    stage.quiet_down()
    return _latency(stage.node, stage.shelf, prepared)


def _latency(node: FakeNode, shelf: Shelf, prepared: Sequence[FakeContainer]) -> list[float]:
    shelf.forget()
    began: dict[str, float] = {}
    for each in prepared:
        began[each.id] = time.monotonic()
        node.start(each)
    return [(at - began[which]) * 1000 for which, at in shelf.arrivals(began).items()]
