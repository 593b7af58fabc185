"""Run the lanes beside each other, and put together what they found."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs

from benchmarks.churn.findings import Findings, find
from benchmarks.churn.lane import Lane
from benchmarks.churn.pace import Pace
from benchmarks.churn.shippers.scalyr import Scalyr
from benchmarks.churn.shippers.shipper import Shipper
from kube_log_watcher_core import Layout


@attrs.frozen
class Plan:
    """What to run."""

    layouts: tuple[Layout, ...]
    seconds: float
    pace: Pace
    slots: int = 3
    """Pods alive at a time, per layout."""
    seed: int = 1
    shipper: type[Shipper] = Scalyr
    watcher: bool = True
    """Whether there is one; else its configuration is written by who makes the containers."""
    spool: bool = False
    environ: Mapping[str, str] = attrs.field(factory=dict)
    """Variables of the watchers, besides their usual ones."""


def churn(plan: Plan, folder: Path) -> tuple[Findings, list[str]]:
    """Churn a node of each layout at the same time; give the findings, and the watchers' complaints.

    Raises
    ------
    RuntimeError
        when a watcher or a shipper ended although nobody asked it to.
    """
    lanes = churned_lanes(plan, folder)
    events = sorted((event for lane in lanes for event in lane.events), key=lambda event: event.at)
    complaints = [f"{lane.name}: {line}" for lane in lanes for line in lane.complaints]
    return find([lane.ledger for lane in lanes], events), complaints


def churned_lanes(plan: Plan, folder: Path) -> list[Lane]:
    """Churn a node of each layout at the same time; give the lanes. Raises as `churn` does."""
    lanes = [_lane(plan, layout, folder / layout.value) for layout in plan.layouts]
    with ThreadPoolExecutor(len(lanes)) as pool:
        for done in [pool.submit(lane.run, plan.seconds) for lane in lanes]:
            done.result()
    return lanes


def _lane(plan: Plan, layout: Layout, folder: Path) -> Lane:
    folder.mkdir(parents=True)
    return Lane(
        layout,
        folder,
        kind=plan.shipper,
        pace=plan.pace,
        slots=plan.slots,
        seed=plan.seed,
        watcher=plan.watcher,
        spool=plan.spool,
        environ=plan.environ,
    )
