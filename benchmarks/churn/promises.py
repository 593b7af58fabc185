"""What was kept of what is promised for one shipper: a row for each layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.churn.comparison import COLUMNS
from benchmarks.churn.events import Kind
from benchmarks.churn.findings import Findings, find
from benchmarks.churn.report import MOST, table
from benchmarks.churn.run import Plan, churned_lanes
from kube_log_watcher_core import Layout

HAPPENED: Mapping[str, tuple[Kind, ...]] = {
    "SIGTERM": (Kind.SHIPPER_STOPPED,),
    "SIGKILL": (Kind.SHIPPER_KILLED,),
    "refused": (Kind.REFUSED,),
    "watcher killed": (Kind.WATCHER_KILLED,),
    "rotated": (Kind.ROTATED_DOCKER, Kind.ROTATED_KUBELET, Kind.ROTATED_WHILE_DOWN),
    "relabelled": (Kind.RELABELLED,),
    "taken over": (Kind.TAKEN_OVER,),
    "unwanted": (Kind.UNWANTED,),
}
"""The columns of what happened."""
PROMISED = ("lost", "doubled", "mislabelled", "unlabelled", "unredacted", "leaked")


def keep(plan: Plan, folder: Path) -> Mapping[Layout, Findings]:
    """Churn, and give what was found by layout. Raises as `churn` does."""
    lanes = churned_lanes(plan, folder)
    return {
        layout: find([lane.ledger], lane.events) for layout, lane in zip(plan.layouts, lanes, strict=True)
    }


def promises(plan: Plan, kept: Mapping[Layout, Findings]) -> str:
    """Lay out what happened, what was kept of the promises, and what was not, one by one."""
    head = (plan.shipper.version(), "lines", *PROMISED, "label s")
    rows = [(COLUMNS[layout], *_kept(findings)) for layout, findings in kept.items()]
    happened = [(COLUMNS[layout], *_happened(findings)) for layout, findings in kept.items()]
    day = datetime.now(UTC).strftime("%-d %B %Y")
    return "\n".join(
        [
            table(head, rows),
            "",
            table(("what happened", *HAPPENED), happened),
            "",
            f"{day}, {plan.seconds:g} s, seed {plan.seed}",
            *_not_kept(kept.values()),
        ]
    )


def _kept(findings: Findings) -> Iterator[object]:
    yield f"{findings.written:,}"
    for name in PROMISED:
        yield getattr(findings.total, name)
    yield f"{findings.label_seconds:.1f}"


def _happened(findings: Findings) -> Iterator[int]:
    times = Counter(event.kind for event in findings.events)
    for kinds in HAPPENED.values():
        yield sum(times[kind] for kind in kinds)


def _not_kept(kept: Iterable[Findings]) -> Iterator[str]:
    for findings in kept:
        yield from map(str, findings.gaps[:MOST])
        yield from (f"{fault.run.key} line {fault.seq}: {fault.what}" for fault in findings.faults[:MOST])
