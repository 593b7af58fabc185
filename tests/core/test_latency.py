"""From a log's appearance to its first successful sync: what counts, and since when."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_support import make_target
from kube_log_watcher_core import Container, Layout, LogTarget
from kube_log_watcher_core.agents.sync_stats import SyncStats
from kube_log_watcher_core.loop.arrivals import Arrivals
from kube_log_watcher_core.models import Obstacle, Reason, Skipped
from kube_log_watcher_core.resolve import Resolution


def skipped(number: int, reason: Reason, *, obstacle: bool = False) -> Skipped:
    container = Container(
        key=str(number),
        layout=Layout.CRI,
        obstacle=Obstacle(reason) if obstacle else None,
        log_path=Path("/x"),
    )
    return Skipped(container, reason)


def seen(*outcomes: LogTarget | Skipped) -> Resolution:
    targets = tuple(each for each in outcomes if isinstance(each, LogTarget))
    return Resolution(targets, tuple(each for each in outcomes if isinstance(each, Skipped)), ())


def begun(*outcomes: LogTarget | Skipped) -> Arrivals:
    arrivals = Arrivals()
    assert arrivals.note(seen(*outcomes), woken_at=1.0) == {}
    return arrivals


def test_a_log_that_is_there_at_the_first_look_is_no_news() -> None:
    arrivals = begun(make_target(1), skipped(2, Reason.POD_AWAITED))
    assert arrivals.note(seen(make_target(1), make_target(2)), woken_at=5.0) == {}


def test_a_new_log_counts_from_the_wake_up_that_found_it() -> None:
    arrivals = begun(make_target(1))
    assert arrivals.note(seen(make_target(1), make_target(2)), woken_at=5.0) == {"2": 5.0}
    assert arrivals.note(seen(make_target(1), make_target(2)), woken_at=6.0) == {}


@pytest.mark.parametrize("reason", [Reason.POD_AWAITED, Reason.POD_UNKNOWN, Reason.ID_UNKNOWN])
def test_waiting_for_the_api_is_part_of_it(reason: Reason) -> None:
    arrivals = begun()
    assert arrivals.note(seen(skipped(2, reason)), woken_at=5.0) == {}
    assert arrivals.note(seen(skipped(2, reason)), woken_at=9.0) == {}
    assert arrivals.note(seen(make_target(2)), woken_at=12.0) == {"2": 5.0}


@pytest.mark.parametrize("reason", [Reason.LABEL_MISSING, Reason.EXCLUDED, Reason.NAMESPACE_EXCLUDED])
def test_what_somebody_did_not_want_followed_is_no_detection_later(reason: Reason) -> None:
    arrivals = begun()
    arrivals.note(seen(skipped(2, Reason.POD_AWAITED)), woken_at=5.0)
    arrivals.note(seen(skipped(2, reason)), woken_at=6.0)
    assert arrivals.note(seen(make_target(2)), woken_at=3600.0) == {}


def test_a_container_without_a_log_counts_from_the_log_s_appearance() -> None:
    arrivals = begun()
    arrivals.note(seen(skipped(2, Reason.NO_LOG, obstacle=True)), woken_at=5.0)
    assert arrivals.note(seen(make_target(2)), woken_at=8.0) == {"2": 8.0}


def test_a_log_that_is_out_of_sight_for_a_moment_is_not_new_but_one_that_was_gone_is() -> None:
    arrivals = begun(make_target(2))
    arrivals.note(seen(skipped(2, Reason.NO_LOG, obstacle=True)), woken_at=5.0)
    assert arrivals.note(seen(make_target(2)), woken_at=6.0) == {}
    arrivals.note(seen(), woken_at=7.0)
    assert arrivals.note(seen(make_target(2)), woken_at=8.0) == {"2": 8.0}


class Clock:
    now = 10.0

    def __call__(self) -> float:
        return self.now


def test_a_log_is_measured_once_at_the_first_sync_that_has_it() -> None:
    clock = Clock()
    stats = SyncStats(clock)
    stats.expect({"1": 9.0, "2": 9.5}, {"1", "2"})
    stats.synced([make_target(1)])
    clock.now = 11.5
    stats.synced([make_target(1), make_target(2)])
    stats.synced([make_target(1), make_target(2)])
    assert sum(stats.latencies.counts) == 2
    assert stats.latencies.sum == 3.0


def test_a_log_that_goes_before_it_is_synced_is_not_measured() -> None:
    stats = SyncStats(Clock())
    stats.expect({"1": 9.0}, {"1"})
    stats.expect({}, set())
    stats.synced([make_target(1)])
    assert sum(stats.latencies.counts) == 0


def test_what_another_watcher_took_care_of_is_not_measured() -> None:
    stats = SyncStats(Clock())
    stats.expect({"1": 1.0}, {"1"})
    stats.forget()
    stats.synced([make_target(1)])
    assert sum(stats.latencies.counts) == 0


def test_a_sync_that_fails_counts_with_its_duration_and_goes_on_failing() -> None:
    clock = Clock()
    stats = SyncStats(clock)
    with stats.sync():
        clock.now += 2.0
    with pytest.raises(RuntimeError, match="boom"), stats.sync():
        raise RuntimeError("boom")
    assert stats.syncs == {"success": 1, "failure": 1}
    assert stats.durations.sum == 2.0
    assert sum(stats.durations.counts) == 2
