"""What a run comes to: gaps, faults, and the event that each of them followed. Pure."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs

from benchmarks.churn.events import Event, Kind, nearest
from benchmarks.churn.ledger import Fault, Ledger, Run


@attrs.frozen
class Gap:
    """Consecutive lines of one log that never arrived."""

    run: Run
    first: int
    last: int
    event: Event | None
    """The event that it followed."""

    @property
    def lines(self) -> int:
        """How many."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        begin = self.run.written[self.first]
        after = f"{self.event.kind.value} ({begin - self.event.at:+.1f} s)" if self.event else "nothing"
        of = f"{len(self.run.written)} of {self.run.pod.namespace}/{self.run.pod.name}/{self.run.container}"
        when = f"{begin:.2f} {self.run.pod.lane}"
        return f"{when}: lines {self.first} to {self.last} of {of}: after {after}"


@attrs.frozen
class Row:
    """What followed the events of one kind."""

    kind: str
    times: int
    gaps: int
    lost: int
    doubled: int
    mislabelled: int
    unlabelled: int
    unredacted: int
    leaked: int


@attrs.frozen
class Findings:
    """The whole of it."""

    written: int
    withheld: int
    """Lines that must not be shipped at all, for what their pods ask to be hidden; not among `written`."""
    unwanted: int
    """Lines of pods that must not be followed, or not any more; not among `written`."""
    arrived: int
    gaps: tuple[Gap, ...]
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]
    events: tuple[Event, ...]
    label_seconds: float
    """How long after a change a line was written at most that came with the labels of before."""

    @property
    def total(self) -> Row:
        """The sum of all rows."""
        sums = [sum(getattr(row, name) for row in self.rows) for name in _COUNTS]
        return Row("all", *sums)

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, doubled, mislabelled, unlabelled, unredacted or leaked."""
        return not self.gaps and not self.faults

    def as_json(self) -> dict[str, Any]:
        """Give it for a machine."""
        return {
            "written": self.written,
            "withheld": self.withheld,
            "unwanted": self.unwanted,
            "arrived": self.arrived,
            "label_seconds": round(self.label_seconds, 1),
            "total": attrs.asdict(self.total),
            "rows": [attrs.asdict(row) for row in self.rows],
            "gaps": [str(gap) for gap in self.gaps],
            "faults": [str(fault) for fault in self.faults[:50]],
            "events": [
                f"{event.at:.2f} {event.lane} {event.pod}: {event.kind.value}" for event in self.events
            ],
        }


_COUNTS = ("times", "gaps", "lost", "doubled", "mislabelled", "unlabelled", "unredacted", "leaked")


def find(ledgers: Sequence[Ledger], events: Sequence[Event]) -> Findings:
    """Compare what was written with what arrived."""
    runs = [run for ledger in ledgers for run in ledger.runs]
    counted = [run for run in runs if run.counts]
    gaps = [gap for run in counted for gap in _gaps(run, events)]
    faults = {
        "doubled": [fault for ledger in ledgers for fault in ledger.doubled],
        "mislabelled": [fault for ledger in ledgers for fault in ledger.mislabelled],
        "unlabelled": [fault for ledger in ledgers for fault in ledger.unlabelled],
        "unredacted": [fault for ledger in ledgers for fault in ledger.unredacted],
        "leaked": [fault for ledger in ledgers for fault in ledger.leaked],
    }
    return Findings(
        written=sum(len(run.written) for run in counted),
        withheld=sum(len(run.written) for run in runs if run.withheld),
        unwanted=sum(len(run.written) for run in runs if run.unwanted or run.withdrawn is not None),
        arrived=sum(len(run.arrived) for run in counted),
        gaps=tuple(gaps),
        rows=tuple(_rows(gaps, faults, events)),
        faults=tuple(fault for found in faults.values() for fault in found),
        events=tuple(events),
        label_seconds=max(ledger.label_seconds for ledger in ledgers),
    )


def _gaps(run: Run, events: Sequence[Event]) -> Iterator[Gap]:
    missing = [seq for seq in range(len(run.written)) if seq not in run.arrived]
    # Consecutive numbers stay as far from their index.
    for _, group in itertools.groupby(enumerate(missing), key=lambda item: item[1] - item[0]):
        lost = [seq for _, seq in group]
        begin, end = run.written[lost[0]], run.written[lost[-1]]
        event = nearest(events, lane=run.pod.lane, pod=run.pod.name, begin=begin, end=end)
        yield Gap(run, lost[0], lost[-1], event)


def _rows(gaps: Iterable[Gap], faults: dict[str, list[Fault]], events: Sequence[Event]) -> Iterator[Row]:
    gap_counts: Counter[Kind | None] = Counter()
    lost: Counter[Kind | None] = Counter()
    for gap in gaps:
        kind = gap.event.kind if gap.event else None
        gap_counts[kind] += 1
        lost[kind] += gap.lines
    counts = {name: Counter(_kind_before(fault, events) for fault in found) for name, found in faults.items()}
    times = Counter(event.kind for event in events)
    for kind in (*Kind, None):
        numbers = {name: count[kind] for name, count in counts.items()}
        if kind is None and not (gap_counts[None] or any(numbers.values())):
            continue
        yield Row(
            kind=kind.value if kind else "nothing",
            times=times[kind] if kind else 0,
            gaps=gap_counts[kind],
            lost=lost[kind],
            **numbers,
        )


def _kind_before(fault: Fault, events: Sequence[Event]) -> Kind | None:
    pod = fault.run.pod
    event = nearest(events, lane=pod.lane, pod=pod.name, begin=fault.at, end=fault.at, after=0.0)
    return event.kind if event else None
