"""What was kept of what is promised for a shipper: a row for each layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import attrs

from benchmarks.churn.events import Kind
from benchmarks.churn.findings import Findings, find
from benchmarks.churn.ledger import DOUBLED, Fault
from benchmarks.churn.report import MOST, table
from benchmarks.churn.run import Plan, churned_lanes
from kube_log_watcher_core import Layout

PROMISED = ("lost", "doubled", "mislabelled", "unlabelled", "unredacted", "leaked")
AGAIN_SECONDS = 15.0
"""Within which a shipper that was started again has come up and shipped what it had not noted."""
LAYOUTS = {Layout.DOCKER: "Docker", Layout.CRI: "CRI"}
HAPPENED: Mapping[str, tuple[Kind, ...]] = {
    "SIGTERM": (Kind.SHIPPER_STOPPED,),
    "SIGKILL": (Kind.SHIPPER_KILLED,),
    "ended": (Kind.SHIPPER_ENDED,),
    "refused": (Kind.REFUSED,),
    "watcher killed": (Kind.WATCHER_KILLED,),
    "rotated": (Kind.ROTATED_DOCKER, Kind.ROTATED_KUBELET, Kind.ROTATED_WHILE_DOWN),
    "relabelled": (Kind.RELABELLED,),
    "taken over": (Kind.TAKEN_OVER,),
    "unwanted": (Kind.UNWANTED,),
    "withdrawn": (Kind.WITHDRAWN,),
}
"""The columns of what happened."""
_ENDS = (Kind.SHIPPER_STOPPED, Kind.SHIPPER_KILLED, Kind.SHIPPER_ENDED)


@attrs.frozen
class Kept:
    """What was found of one shipper with one layout."""

    name: str
    findings: Findings

    @property
    def again(self) -> int:
        """How many lines came twice after a SIGKILL: it had not noted yet that it had shipped them."""
        return sum(self._is_after_kill(fault) for fault in self.findings.faults if fault.what == DOUBLED)

    @property
    def whole(self) -> bool:
        """Whether all promises were kept."""
        return not self.findings.gaps and len(self.findings.faults) == self.again

    def _is_after_kill(self, fault: Fault) -> bool:
        before = [event for event in self.findings.events if event.at <= fault.at]
        ends = [event for event in before if event.kind in _ENDS]
        starts = [event.at for event in before if event.kind is Kind.SHIPPER_STARTED]
        killed = bool(ends) and ends[-1].kind is not Kind.SHIPPER_STOPPED
        return killed and bool(starts) and fault.at - starts[-1] < AGAIN_SECONDS


def keep(plan: Plan, folder: Path) -> Sequence[Kept]:
    """Churn one shipper, and give what was found by layout. Raises as `churn` does."""
    version = plan.shipper.version()
    lanes = churned_lanes(plan, folder / plan.shipper.name)
    return [
        Kept(f"{version}, {LAYOUTS[layout]}", find([lane.ledger], lane.events))
        for layout, lane in zip(plan.layouts, lanes, strict=True)
    ]


def promises(plan: Plan, kept: Sequence[Kept]) -> str:
    """Lay out what was kept of the promises, what happened, and what was not kept, one by one."""
    day = datetime.now(UTC).strftime("%-d %B %Y")
    return "\n".join(
        [
            table(
                ("shipper, layout", "lines", *PROMISED, "again", "label s"),
                [(each.name, *_kept(each)) for each in kept],
            ),
            "",
            table(
                ("what happened meanwhile", *HAPPENED, "held"),
                [(each.name, *_happened(each.findings)) for each in kept],
            ),
            "",
            f"{day}, {plan.seconds:g} s each, seed {plan.seed}, {plan.slots} pods at a time in each layout",
            *plan.pace.told(),
            "again: those of the doubled lines that came after a SIGKILL of the shipper",
            "label s: how long after a change a line was written that still came with the old labels",
            *_not_kept(kept),
        ]
    )


def _kept(kept: Kept) -> Iterator[object]:
    yield f"{kept.findings.written:,}"
    for name in PROMISED:
        yield getattr(kept.findings.total, name)
    yield kept.again
    yield f"{kept.findings.label_seconds:.1f}"


def _happened(findings: Findings) -> Iterator[object]:
    times = Counter(event.kind for event in findings.events)
    for kinds in HAPPENED.values():
        yield sum(times[kind] for kind in kinds)
    yield f"{findings.withheld:,}"


def _not_kept(kept: Iterable[Kept]) -> Iterator[str]:
    for each in kept:
        yield from map(str, each.findings.gaps[:MOST])
        yield from map(str, each.findings.faults[:MOST])
