"""Run the lanes beside each other, and put together what they found."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.churn.findings import Findings, find
from benchmarks.churn.lane import Lane
from benchmarks.churn.pace import Pace
from kube_log_watcher_core import Layout


def churn(
    layouts: Iterable[Layout], folder: Path, *, seconds: float, pace: Pace, slots: int, seed: int
) -> tuple[Findings, list[str]]:
    """Churn a node of each layout at the same time; give the findings, and the watchers' complaints."""
    lanes = []
    for layout in layouts:
        place = folder / layout.value
        place.mkdir()
        lanes.append(Lane(layout, place, pace=pace, slots=slots, seed=seed))
    with ThreadPoolExecutor(len(lanes)) as pool:
        for done in [pool.submit(lane.run, seconds) for lane in lanes]:
            done.result()
    events = sorted((event for lane in lanes for event in lane.events), key=lambda event: event.at)
    complaints = [f"{lane.name}: {line}" for lane in lanes for line in lane.complaints]
    return find([lane.ledger for lane in lanes], events), complaints
