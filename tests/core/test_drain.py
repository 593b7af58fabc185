"""When a log that is gone may leave a shipper's configuration."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from kube_log_watcher_core import (
    BaseAgent,
    Container,
    Layout,
    LogFile,
    LogTarget,
    NodeContext,
    Pacing,
    Pod,
    Progress,
)
from kube_log_watcher_core.agents import NotNow
from kube_log_watcher_core.agents.running import Hold
from kube_log_watcher_core.models import Departed
from kube_log_watcher_core.reconcile import AgentDrain, DrainRules
from kube_log_watcher_core.reconcile.drain import Evidence, Verdict, judge

RULES = DrainRules(seconds=300, max_seconds=900)
WAIT, DONE, GIVEN_UP = Verdict.WAIT, Verdict.DONE, Verdict.GIVEN_UP


def target(number: int = 0, path: Path = Path("/logs/0.log"), deleted: float | None = None) -> LogTarget:
    key = f"{number:064x}"
    return LogTarget(
        id=key,
        log_path=path,
        container=Container(
            key=key, layout=Layout.DOCKER, name="main", pod_name="shop-1", namespace="default", log_path=path
        ),
        pod=Pod(uid="u", name="shop-1", namespace="default", deleted=deleted),
        application="shop",
        component=None,
        version=None,
        release=None,
        environment="production",
        image=None,
        image_version=None,
        cluster_id=None,
        node="n",
    )


def departed(*, size: int | None = 100, number: int = 0) -> Departed:
    return Departed(target(number), since=1000.0, size=size, began=1000.0)


def verdict(age: float, *progress: Progress, size: int | None = 100, rules: DrainRules = RULES) -> Verdict:
    evidence = Evidence()
    for each in progress:
        evidence = evidence.with_new(each)
    return judge(departed(size=size), evidence, rules, 1000.0 + age)


def test_without_evidence_it_is_the_plain_wait() -> None:
    assert [verdict(age) for age in (0, 299, 300)] == [WAIT, WAIT, DONE]


def test_without_a_drain_nothing_waits_whatever_the_evidence() -> None:
    assert verdict(0, Progress(0, at=1001.0), rules=DrainRules(seconds=0, max_seconds=900)) is DONE


def test_two_accounts_that_stand_at_the_end_shorten_the_wait() -> None:
    assert verdict(61, Progress(100, at=1001.0), Progress(100, at=1060.0)) is DONE


def test_one_account_alone_does_not_for_more_may_have_been_written_after_the_size_was_seen() -> None:
    assert verdict(61, Progress(100, at=1060.0)) is WAIT
    assert verdict(61, Progress(150, at=1001.0), Progress(180, at=1060.0)) is WAIT


def test_an_account_from_before_the_end_is_no_evidence_of_having_read_it() -> None:
    assert verdict(61, Progress(100, at=999.0), Progress(100, at=1060.0)) is WAIT


def test_another_file_of_the_same_log_that_is_unread_lengthens_the_wait() -> None:
    both = Progress(100, at=1001.0), Progress(100, at=1060.0, pending=True)
    assert [verdict(age, *both) for age in (300, 899, 900)] == [WAIT, WAIT, GIVEN_UP]


def test_a_shipper_that_is_still_reading_gets_time_up_to_the_bound() -> None:
    progress = Progress(40, at=1001.0), Progress(60, at=1060.0)
    assert [verdict(age, *progress) for age in (300, 899, 900)] == [WAIT, WAIT, GIVEN_UP]


def test_a_shipper_that_says_no_more_after_it_read_all_gets_the_plain_wait_and_is_no_loss() -> None:
    """It has nothing to say of a file that was gone when it took up another configuration."""
    before_the_end = Progress(100, at=999.0)
    assert [verdict(age, before_the_end) for age in (299, 300)] == [WAIT, DONE]
    assert [verdict(age, before_the_end, size=None) for age in (299, 300)] == [WAIT, DONE]


def test_a_bound_below_the_plain_wait_does_not_shorten_it() -> None:
    rules = DrainRules(seconds=300, max_seconds=10)
    assert verdict(299, Progress(1, at=1001.0), rules=rules) is WAIT


def test_a_log_whose_size_was_never_seen_is_not_known_to_be_read() -> None:
    assert verdict(61, Progress(100, at=1001.0), Progress(100, at=1060.0), size=None) is WAIT


def test_the_same_account_read_twice_is_one_account() -> None:
    evidence = Evidence().with_new(Progress(100, at=1001.0)).with_new(Progress(100, at=1001.0)).with_new(None)
    assert evidence.earlier is None


def test_bytes_left_are_counted_where_they_are_known() -> None:
    assert Evidence(Progress(30, at=0.0)).bytes_left(departed(size=100)) == 70
    assert Evidence(Progress(130, at=0.0)).bytes_left(departed(size=100)) == 0
    assert Evidence(Progress(30, at=0.0)).bytes_left(departed(size=None)) is None
    assert Evidence().bytes_left(departed()) is None


class Shipper(BaseAgent[Any]):
    """An agent that tells what the test says."""

    def __init__(self) -> None:
        super().__init__(None, NodeContext())
        self.progress: Progress | None = None

    @property
    def pacing(self) -> Pacing:
        return Pacing(hold_seconds=15.0)

    def sync(self, targets: Sequence[LogTarget]) -> None:
        """Do nothing."""

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        return self.progress


class Shippers(Shipper):
    """An agent whose shipper has let go of the first log, and not of the others."""

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        first = target.id == departed(number=0).target.id
        return Progress(100, at=1001.0, closed=True) if first else Progress(40, at=1001.0)


class Clock:
    """A clock that the test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_an_agent_that_has_read_all_lets_go_and_does_not_take_it_back() -> None:
    shipper, clock = Shipper(), Clock()
    drain = AgentDrain("a", shipper, clock=clock)
    assert drain.still_to_read([departed()], RULES) == [target()]
    for clock.now in (1001.0, 1060.0):
        shipper.progress = Progress(100, at=clock.now)
        drain.still_to_read([departed()], RULES)
    assert drain.finished == {departed().drain}
    shipper.progress = None
    assert drain.still_to_read([departed()], RULES) == []


def test_a_container_that_came_back_and_goes_again_drains_again() -> None:
    drain = AgentDrain("a", Shipper(), clock=Clock())
    assert drain.still_to_read([attrs.evolve(departed(), since=0.0, began=0.0)], RULES) == []
    assert drain.still_to_read([], RULES) == []
    assert drain.still_to_read([departed()], RULES) == [target()]


def test_a_log_that_came_back_unseen_and_went_again_drains_anew() -> None:
    """The agent was busy: between two syncs it has seen neither that it was there nor that it went."""
    shipper, clock = Shipper(), Clock()
    drain = AgentDrain("a", shipper, clock=clock)
    shipper.progress = Progress(100, at=1000.5, closed=True)
    assert drain.still_to_read([departed()], RULES) == []
    shipper.progress = None
    again = attrs.evolve(departed(), since=1010.0, began=1010.0)
    assert drain.still_to_read([again], RULES) == [target()]
    assert drain.finished == frozenset()


def test_the_wall_clock_says_how_old_a_shippers_word_is_and_not_how_long_the_drain_takes() -> None:
    set_forth = attrs.evolve(departed(), began=50.0)
    seen = Evidence(Progress(100, at=1060.0), Progress(100, at=1001.0))
    assert judge(set_forth, Evidence(), RULES, 50.0 + 299) is WAIT
    assert judge(set_forth, seen, RULES, 51.0) is DONE


def test_the_end_of_one_drain_does_not_cut_short_another_that_has_just_begun() -> None:
    """To take out the one entry makes a shipper reload, and lose the other log's open file."""
    clock = Clock()
    drain = AgentDrain("a", Shippers(), clock=clock)
    both = [departed(number=0), departed(number=1)]
    for clock.now in (1002.0, 1014.9):
        assert drain.still_to_read(both, RULES) == [target(0), target(1)]
        assert drain.finished == frozenset()
        assert (drain.tally.draining, drain.tally.read) == (1, 1)
    clock.now = 1015.0
    assert drain.still_to_read(both, RULES) == [target(1)]
    assert drain.finished == {departed(number=0).drain}


def test_what_was_let_go_of_does_not_come_back_when_another_log_goes() -> None:
    clock = Clock()
    drain = AgentDrain("a", Shippers(), clock=clock)
    assert drain.still_to_read([departed(number=0)], RULES) == []
    assert drain.still_to_read([departed(number=0), departed(number=1)], RULES) == [target(1)]


def test_giving_up_is_told_with_the_bytes_that_are_left(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    shipper, clock = Shipper(), Clock()
    shipper.progress = Progress(58, at=1001.0)
    clock.now = 1900.0
    drain = AgentDrain("scalyr", shipper, clock=clock)
    assert drain.still_to_read([departed()], RULES) == []
    drain.still_to_read([departed()], RULES)
    assert caplog.text.count("default/shop-1/main within 900 s: 42 bytes are left") == 1


def test_a_shipper_that_has_let_go_of_the_file_is_done_at_once() -> None:
    """One account is enough, whenever it was written: the file is gone, and the shipper has closed it."""
    assert verdict(1, Progress(100, at=999.0, closed=True)) is DONE
    assert verdict(1, Progress(5000, at=1000.5, closed=True)) is DONE


def test_a_shipper_that_let_go_before_the_last_known_byte_is_waited_for() -> None:
    """It was restarted and did not find the file again, say: the warning at the end counts what is left."""
    assert verdict(61, Progress(60, at=1001.0, closed=True), Progress(60, at=1060.0, closed=True)) is WAIT


def test_without_a_known_size_only_a_younger_account_says_that_the_file_is_closed() -> None:
    assert verdict(1, Progress(0, at=999.0, closed=True), size=None) is WAIT
    assert verdict(1, Progress(0, at=1000.5, closed=True), size=None) is DONE


class Blind(Shipper):
    """An agent that fails to tell."""

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        raise KeyError("checkpoints")


def test_an_agent_that_fails_to_tell_has_no_evidence_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    drain = AgentDrain("a", Blind(), clock=clock)
    for clock.now in (1000.0, 1100.0):
        assert drain.still_to_read([departed()], RULES) == [target()]
    clock.now = 1300.0
    assert drain.still_to_read([departed()], RULES) == []
    assert caplog.text.count("can't tell how far its shipper has read") == 1


def test_changes_are_held_while_a_gone_log_is_fresh_and_unread() -> None:
    shipper, clock = Shipper(), Clock()
    drain = AgentDrain("a", shipper, clock=clock)
    for clock.now, fresh in ((1000.0, True), (1014.0, True), (1015.0, False)):
        drain.still_to_read([departed()], RULES)
        assert drain.is_any_fresh is fresh


def test_a_log_that_is_known_to_be_read_holds_nothing() -> None:
    shipper, clock = Shipper(), Clock()
    shipper.progress = Progress(100, at=1001.0, closed=True)
    drain = AgentDrain("a", shipper, clock=clock)
    drain.still_to_read([departed()], RULES)
    assert not drain.is_any_fresh


def test_without_a_drain_nothing_is_held() -> None:
    drain = AgentDrain("a", Shipper(), clock=Clock())
    drain.still_to_read([departed()], DrainRules(seconds=0, max_seconds=900))
    assert not drain.is_any_fresh


def test_a_hold_is_bounded_so_that_new_logs_are_followed_however_many_go() -> None:
    clock = Clock()
    hold = Hold(clock, longest_seconds=30.0)
    for clock.now in (0.0, 10.0, 29.9):
        with pytest.raises(NotNow):
            hold.check(wanted=True)
    clock.now = 30.0
    hold.check(wanted=True)
    with pytest.raises(NotNow):
        hold.check(wanted=True)


def test_a_hold_that_ended_begins_anew() -> None:
    clock = Clock()
    hold = Hold(clock, longest_seconds=30.0)
    for clock.now in (0.0, 40.0):
        with pytest.raises(NotNow):
            hold.check(wanted=True)
        hold.check(wanted=False)
