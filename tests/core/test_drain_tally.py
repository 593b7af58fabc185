"""What metrics are told of drains: how many go on, how they ended, and what was left of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_support import make_target
from kube_log_watcher_core import BaseAgent, LogFile, LogTarget, NodeContext, Progress
from kube_log_watcher_core.models import Departed
from kube_log_watcher_core.reconcile import AgentDrain, DrainRules, DrainTally

RULES = DrainRules(seconds=300, max_seconds=900)
GONE_AT = 1000.0


class Shipper(BaseAgent[Any]):
    """Has read so much of each log as the test says."""

    def __init__(self) -> None:
        super().__init__(None, NodeContext())
        self.read: dict[str, Progress] = {}

    def sync(self, targets: Sequence[LogTarget]) -> None:
        pass

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        return self.read.get(target.container.key)


class Stage:
    """One agent's drains, by a clock that the test sets."""

    def __init__(self) -> None:
        self.shipper = Shipper()
        self.now = GONE_AT
        self.drain = AgentDrain("a", self.shipper, clock=lambda: self.now)

    def look(self, *numbers: int, age: float) -> DrainTally:
        self.now = GONE_AT + age
        gone = [Departed(make_target(number), since=GONE_AT, size=100, began=GONE_AT) for number in numbers]
        self.drain.still_to_read(gone, RULES)
        return self.drain.tally

    def has_read(self, number: int, *, of_it: int, age: float) -> None:
        self.shipper.read[str(number)] = Progress(of_it, at=GONE_AT + age)


def test_what_is_known_to_be_unread_is_added_up() -> None:
    stage = Stage()
    stage.has_read(1, of_it=30, age=1)
    stage.has_read(2, of_it=90, age=1)
    assert stage.look(1, 2, 3, age=2) == DrainTally(draining=3, bytes_left=80)


def test_a_drain_that_is_waited_for_or_read_ends_well_and_counts_once() -> None:
    stage = Stage()
    stage.look(1, age=1)
    for age in (301, 310, 320):
        assert stage.look(1, age=age) == DrainTally(read=1)
    assert stage.look(age=330) == DrainTally(read=1)


def test_a_drain_that_is_given_up_tells_what_is_lost() -> None:
    stage = Stage()
    for age in (1, 301, 899):
        stage.has_read(1, of_it=30, age=age)
        assert stage.look(1, age=age) == DrainTally(draining=1, bytes_left=70)
    stage.has_read(1, of_it=40, age=900)
    assert stage.look(1, age=901) == DrainTally(given_up=1, bytes_lost=60)
    assert stage.look(age=902) == DrainTally(given_up=1, bytes_lost=60)
