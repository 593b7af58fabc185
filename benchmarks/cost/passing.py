"""What a pass costs by itself: from containers and pods to targets, and what agents look up then."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from benchmarks.cost.figures import Figure, median
from benchmarks.cost.plan import Plan
from kube_log_watcher_core import Container, Pod
from kube_log_watcher_core.models import Pods, Work
from kube_log_watcher_core.reconcile import Reconciler, Timeouts
from kube_log_watcher_core.resolve import Rules
from kube_log_watcher_testing.factories import LABELS, make_container, make_pod

ROUNDS = 50
AIMS_MS = {1000: 1.0}
RULES = Rules(strict_labels=tuple(LABELS))


@attrs.frozen
class _Node:
    """What is there."""

    containers: Sequence[Container]
    pods: Pods


def measure(plan: Plan, _folder: Path) -> Iterator[Figure]:
    """Measure while all is quiet, while one log drains, and while a pod that was followed lacks a label."""
    for size in plan.sizes:
        containers = [make_container(number, pod=f"app-{number}") for number in range(1, size + 1)]
        pods = [make_pod(container) for container in containers]
        whole = _Node(containers, Pods(pods))
        unlabelled: list[Pod] = [attrs.evolve(pods[0], labels={}), *pods[1:]]
        states = {
            "quiet": whole,
            "one log drains": _Node(containers[1:], Pods(pods[1:])),
            "a followed pod loses a label": _Node(containers, Pods(unlabelled)),
        }
        for state, node in states.items():
            spent, looked_up = _passes(whole, node)
            name, aim = f"{size} containers, {state}", AIMS_MS.get(size)
            yield Figure("A pass by itself: nothing has changed", name, spent * 1000, "ms", aim=aim)
            yield Figure("An agent's look-up of its targets then", name, looked_up * 1000, "ms", aim=aim)


def _passes(before: _Node, now: _Node) -> tuple[float, float]:
    """Return the processor time of a pass and of a look-up, when all was followed and then this is there."""
    reconciler = Reconciler(Work(), clock=time.monotonic, wall=time.time)

    def look(node: _Node) -> None:
        reconciler.reconcile(node.containers, node.pods, rules=RULES, timeouts=Timeouts())

    look(before)
    look(now)
    rendered = dict.fromkeys(reconciler.work.targets, "")
    passes, look_ups = [], []
    for _ in range(ROUNDS):
        began = time.thread_time()
        look(now)
        passed = time.thread_time()
        rendered = {target: rendered[target] for target in reconciler.work.targets}
        passes.append(passed - began)
        look_ups.append(time.thread_time() - passed)
    return median(passes), median(look_ups)
