"""What the churn makes of lines that arrived, did not, or came otherwise than they should."""

from __future__ import annotations

import pytest
from benchmarks.churn.agenda import Clocks
from benchmarks.churn.events import Event, Kind, nearest
from benchmarks.churn.findings import find
from benchmarks.churn.ledger import Ledger, PodFacts, Run
from benchmarks.churn.lines import Line, by_document, parse, text_of
from benchmarks.churn.promises import AGAIN_SECONDS, Kept
from benchmarks.churn.report import of_findings

LABELS = {"application": "shop", "version": "v1", "churn-pod": "shop-1"}
LATER = {**LABELS, "version": "v2"}


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Churned:
    """A ledger with one container, whose pod had other labels from 100 s on."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.ledger = Ledger(clock=self.clock, label_clock=self.clock, label_lag=5.0)
        self.pod = PodFacts("docker", "team", "shop-1")
        self.run = Run("docker.shop-1.main.abc", self.pod, "main", "abc")
        self.ledger.begin(self.run)
        self.ledger.relabelled(self.pod, LABELS)

    def write(self, lines: int) -> None:
        for _ in range(lines):
            self.clock.now += 1.0
            self.ledger.write(self.run)

    def arrive(self, *numbers: int, shown: str = "hidden", **attributes: str) -> None:
        own = {"namespace": "team", "pod": "shop-1", "container": "main", "container_id": "abc"}
        message = "churn run=docker.shop-1.main.abc seq={} version=v1 password={} end"
        lines = [Line(message.format(number, shown), {**own, **LABELS, **attributes}) for number in numbers]
        self.ledger.arrived(lines)


@pytest.fixture
def churned() -> Churned:
    return Churned()


def event(kind: Kind, at: float, pod: str | None = "shop-1") -> Event:
    return Event(kind, at, "docker", pod)


def test_what_is_written_is_what_is_recognised(churned: Churned) -> None:
    number = churned.ledger.write(churned.run)
    assert parse(text_of(number, version="v1")) == number
    assert parse("something else") is None


def test_lines_that_all_arrive_once_with_their_labels_are_clean(churned: Churned) -> None:
    churned.write(3)
    churned.arrive(0, 1, 2)
    findings = find([churned.ledger], [])
    assert findings.clean
    assert (findings.written, findings.arrived, findings.total.lost) == (3, 3, 0)
    assert "3 lines written, 3 of them arrived" in of_findings(findings)


def test_gaps_are_told_apart_with_the_event_that_each_followed(churned: Churned) -> None:
    churned.write(10)
    churned.arrive(0, 1, 4, 5, 6, 8, 9)
    rotated, stopped = event(Kind.ROTATED_DOCKER, 102.5), event(Kind.SHIPPER_STOPPED, 107.9, None)
    findings = find([churned.ledger], [rotated, stopped])
    assert [(gap.first, gap.last, gap.event) for gap in findings.gaps] == [(2, 3, rotated), (7, 7, stopped)]
    rows = {row.kind: (row.times, row.gaps, row.lost) for row in findings.rows}
    assert rows[Kind.ROTATED_DOCKER.value] == (1, 1, 2)
    assert rows[Kind.SHIPPER_STOPPED.value] == (1, 1, 1)
    assert not findings.clean


def test_a_line_that_comes_twice_is_doubled_and_one_that_can_be_read_is_unredacted(churned: Churned) -> None:
    churned.write(2)
    churned.arrive(0, 1)
    churned.arrive(1)
    churned.arrive(0, shown="hunter2-0")
    total = find([churned.ledger], []).total
    assert (total.doubled, total.unredacted) == (2, 1)


def test_nothing_may_come_of_a_log_that_is_withheld_and_it_does_not_count_as_lost(churned: Churned) -> None:
    churned.run.withheld = True
    churned.write(2)
    findings = find([churned.ledger], [])
    assert (findings.clean, findings.written, findings.withheld) == (True, 0, 2)
    churned.arrive(0)
    assert find([churned.ledger], []).total.unredacted == 1


def test_labels_that_were_valid_lately_are_right_and_older_ones_are_not(churned: Churned) -> None:
    churned.write(3)
    churned.ledger.relabelled(churned.pod, LATER)
    churned.write(6)
    churned.arrive(0, 7)
    churned.arrive(1, 8, version="v2")
    findings = find([churned.ledger], [])
    assert (findings.total.mislabelled, findings.label_seconds) == (0, 5.0)
    churned.arrive(8)
    assert find([churned.ledger], []).total.mislabelled == 1


@pytest.mark.parametrize(
    ("end", "again"), [(Kind.SHIPPER_KILLED, 1), (Kind.SHIPPER_STOPPED, 0)], ids=["killed", "stopped"]
)
def test_what_comes_twice_is_the_shippers_own_doing_after_a_kill_alone(
    churned: Churned, end: Kind, again: int
) -> None:
    churned.write(1)
    churned.arrive(0)
    events = [
        event(end, churned.clock.now + 1, None),
        event(Kind.SHIPPER_STARTED, churned.clock.now + 2, None),
    ]
    churned.clock.now += 4
    churned.arrive(0)
    kept = Kept("some", find([churned.ledger], events))
    assert (kept.again, kept.whole, kept.findings.total.doubled) == (again, bool(again), 1)
    churned.clock.now += AGAIN_SECONDS
    churned.arrive(0)
    assert not Kept("some", find([churned.ledger], events)).whole


def test_a_line_without_any_label_is_unlabelled_and_not_mislabelled(churned: Churned) -> None:
    churned.write(1)
    message = "churn run=docker.shop-1.main.abc seq=0 end"
    container_id = "a" * 64
    line = by_document(f"/spool/team_shop-1_u/main-{container_id}.1.log", message, None)
    assert line is not None
    churned.ledger.arrived([Line(message, {**line.attributes, "container_id": "abc"})])
    total = find([churned.ledger], []).total
    assert (total.unlabelled, total.mislabelled) == (1, 0)


def test_a_document_of_another_container_is_wrong_though_the_path_is_right(churned: Churned) -> None:
    churned.write(1)
    churned.run.container_id = "a" * 64
    path = f"/spool/team_shop-1_u/main-{churned.run.container_id}.1.log"
    document = {"pod_name": "shop-1", "container_id": "b" * 64, "labels": LABELS}
    line = by_document(path, "churn run=docker.shop-1.main.abc seq=0 end", document)
    assert line is not None
    churned.ledger.arrived([line])
    assert find([churned.ledger], []).total.mislabelled == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("pod", "shop-2"), ("container_id", "abd"), ("version", "v3"), ("component", "api")],
)
def test_attributes_of_others_and_labels_that_never_were_are_wrong(
    churned: Churned, name: str, value: str
) -> None:
    churned.write(1)
    churned.arrive(0, shown="hidden", **{name: value})
    assert find([churned.ledger], []).total.mislabelled == 1


def test_the_nearest_event_is_one_of_the_pod_or_of_the_node_and_not_of_another_pod() -> None:
    events = [
        event(Kind.ROTATED_DOCKER, 10.0),
        event(Kind.WATCHER_KILLED, 12.0, None),
        event(Kind.ROTATED_DOCKER, 13.0, "other"),
        event(Kind.DELETED, 30.0),
    ]
    found = nearest(events, lane="docker", pod="shop-1", begin=13.0, end=14.0)
    assert found is not None
    assert found.kind is Kind.WATCHER_KILLED
    assert nearest(events, lane="cri", pod="shop-1", begin=13.0, end=14.0) is None


def test_a_clock_that_stands_still_does_nothing_until_it_goes_on() -> None:
    clocks = Clocks()
    done: list[str] = []
    clocks.shipping.after(1.0, lambda: done.append("shipping"))
    clocks.following.after(1.0, lambda: done.append("following"))
    clocks.advance(2.0, watcher=True, shipper=False)
    assert done == []
    clocks.advance(1.0, watcher=False, shipper=True)
    assert done == ["shipping"]
    clocks.advance(1.0, watcher=True, shipper=True)
    assert done == ["shipping", "following"]
