"""What one change costs: the whole watcher's processor time, and each agent's for what has not changed."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from benchmarks.cost.figures import Figure, median
from benchmarks.cost.plan import Plan
from benchmarks.cost.process import cpu_seconds
from benchmarks.cost.reference import FloorProcess
from benchmarks.cost.stage import Stage
from kube_log_watcher_appdynamics.agent import AppDynamicsAgent
from kube_log_watcher_appdynamics.settings import AppDynamicsSettings
from kube_log_watcher_core import BaseAgent, Layout, LogTarget, Secret
from kube_log_watcher_scalyr.agent import ScalyrAgent
from kube_log_watcher_scalyr.settings import ScalyrSettings
from kube_log_watcher_testing.factories import NODE, make_container, make_target

CPU_AIMS = {1000: 10.0}
UNCHANGED_AIM_US = 5.0
GROUP = "One change: a container starts"


def measure(plan: Plan, folder: Path) -> Iterator[Figure]:
    """Measure the watcher as a process, then each agent's ``sync`` by itself."""
    for size in plan.sizes:
        yield from _whole(plan, folder / f"change-{size}", size)
    for name, agent in _agents(folder / "agents").items():
        yield from _alone(name, agent, plan)


def _whole(plan: Plan, folder: Path, size: int) -> Iterator[Figure]:
    """Start a container, and look at the processor time until even the state file is written."""
    with Stage(folder / "watcher", Layout.CRI, size, plan=plan) as stage:
        stage.started()
        with FloorProcess(folder / "floor", stage) as floor:
            pairs = [_one_change(stage, floor, number) for number in range(plan.changes)]
            stage.let_one_drain()
            further = range(plan.changes, 2 * plan.changes)
            beside_drain = [_one_change(stage, floor, number)[0] for number in further]
    quiet = median([own for own, _ in pairs])
    yield Figure(
        GROUP,
        f"{size} containers, CPU of the watcher with both agents and state file",
        quiet * 1000,
        "ms",
        median([least for _, least in pairs]) * 1000,
        "floor: minimal inotify loop, same bytes",
        CPU_AIMS.get(size),
    )
    yield Figure(
        GROUP,
        f"{size} containers, the same while one log drains",
        median(beside_drain) * 1000,
        "ms",
        quiet * 1000,
        "nothing drains",
        CPU_AIMS.get(size),
    )


def _one_change(stage: Stage, floor: FloorProcess, number: int) -> tuple[float, float]:
    prepared, beside = stage.prepare(), floor.prepare(number)
    stage.settle()
    before = cpu_seconds(stage.pid), cpu_seconds(floor.pid)
    stage.node.start(prepared)
    stage.shelf.arrivals([prepared.id])
    floor.node.start(beside)
    floor.shelf.arrivals([beside.id])
    stage.settle()
    spent = cpu_seconds(stage.pid) - before[0], cpu_seconds(floor.pid) - before[1]
    stage.remove(prepared)
    return spent


# ---------------------------------------------------------------------- an agent by itself


def _agents(folder: Path) -> dict[str, BaseAgent[Any]]:
    (folder / "links").mkdir(parents=True)
    (folder / "jobs").mkdir()
    scalyr = ScalyrSettings(
        api_key=Secret("key"), config_path=folder / "agent.json", dest_path=folder / "links"
    )
    return {
        "scalyr": ScalyrAgent(scalyr, NODE),
        "appdynamics": AppDynamicsAgent(AppDynamicsSettings(dest_path=folder / "jobs"), NODE),
    }


def _alone(name: str, agent: BaseAgent[Any], plan: Plan) -> Iterator[Figure]:
    spent = {size: _sync(agent, _targets(size), times=plan.syncs) for size in (1, *plan.sizes)}
    for size in plan.sizes:
        yield Figure(
            "One change: an agent's sync by itself",
            f"{name}, one of {size} changed, CPU",
            spent[size] * 1000,
            "ms",
            spent[1] * 1000,
            "the same with no other target",
            CPU_AIMS.get(size),
        )
    others = plan.largest - 1
    yield Figure(
        "One change: an agent's sync by itself",
        f"{name}, for each unchanged of {plan.largest}",
        (spent[plan.largest] - spent[1]) / others * 1e6,
        "µs",
        _lookup(_targets(plan.largest)) * 1e6,
        "one look into a dict by target",
        UNCHANGED_AIM_US,
    )


def _sync(agent: BaseAgent[Any], targets: list[LogTarget], *, times: int) -> float:
    """Return the processor time of a sync with one changed target: the median of some."""
    agent.sync(targets)
    spent = []
    for round_ in range(times):
        targets[0] = attrs.evolve(targets[0], version=f"v{round_}")
        gc.collect()
        began = time.thread_time()
        agent.sync(targets)
        spent.append(time.thread_time() - began)
    return median(spent)


def _targets(size: int) -> list[LogTarget]:
    return [make_target(make_container(number, pod=f"app-{number}")) for number in range(1, size + 1)]


def _lookup(targets: Sequence[LogTarget]) -> float:
    known = dict.fromkeys(targets, 0)
    began = time.thread_time()
    for _ in range(20):
        _ = [known[target] for target in targets]
    return (time.thread_time() - began) / 20 / len(targets)
