"""From a log's appearance to its first successful sync: what counts, and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import pytest

from agent_support import make_target
from kube_log_watcher_core import Container, Layout, Pod
from kube_log_watcher_core.agents.sync_stats import SyncStats
from kube_log_watcher_core.models import Obstacle, Pods, Reason, Work
from kube_log_watcher_core.reconcile import Reconciler, Timeouts
from kube_log_watcher_core.resolve import Rules
from kube_log_watcher_testing import make_container
from kube_log_watcher_testing.factories import make_pod

RULES = Rules(strict_labels=("application",))


class Appearances:
    """Passes over logs that come, and since when each of those that are followed has been there."""

    def __init__(self, *there: Container, pods: Sequence[Pod] = ()) -> None:
        self._reconciler = Reconciler(Work(), clock=lambda: 0.0, wall=lambda: 0.0)
        assert self.at(None, there, pods) == {}, "nobody knows how long they have been there"

    def at(
        self, woken_at: float | None, there: Sequence[Container], pods: Sequence[Pod], rules: Rules = RULES
    ) -> Mapping[str, float]:
        passed = self._reconciler.reconcile(
            there, Pods(pods), rules=rules, timeouts=Timeouts(), appeared_at=woken_at
        )
        return {it.after.key: it.appeared for it in passed.came if it.appeared is not None}


ONE, TWO = make_container(1, pod="one"), make_container(2, pod="two")
POD_ONE, POD_TWO = make_pod(ONE), make_pod(TWO)
NO_LOG = attrs.evolve(TWO, obstacle=Obstacle(Reason.NO_LOG), log_path=None)


def test_a_log_that_is_there_at_the_first_look_is_no_news() -> None:
    passes = Appearances(ONE, TWO, pods=[POD_ONE])
    assert passes.at(5.0, [ONE, TWO], [POD_ONE, POD_TWO]) == {}


def test_a_new_log_counts_from_the_wake_up_that_found_it() -> None:
    passes = Appearances(ONE, pods=[POD_ONE])
    assert passes.at(5.0, [ONE, TWO], [POD_ONE, POD_TWO]) == {TWO.key: 5.0}
    assert passes.at(6.0, [ONE, TWO], [POD_ONE, POD_TWO]) == {}


def test_waiting_for_the_api_is_part_of_it() -> None:
    passes = Appearances()
    assert passes.at(5.0, [TWO], []) == {}
    assert passes.at(9.0, [TWO], []) == {}
    assert passes.at(12.0, [TWO], [POD_TWO]) == {TWO.key: 5.0}


def test_so_is_waiting_for_the_id() -> None:
    cri = attrs.evolve(TWO, layout=Layout.CRI, id=None)
    unborn = attrs.evolve(POD_TWO, containers=())
    passes = Appearances()
    assert passes.at(5.0, [cri], []) == {}
    assert passes.at(6.0, [cri], [unborn]) == {}
    assert passes.at(12.0, [cri], [POD_TWO]) == {TWO.key: 5.0}


@pytest.mark.parametrize(
    "pod",
    [
        attrs.evolve(POD_TWO, labels={}),
        attrs.evolve(POD_TWO, annotations={"kubernetes-log-watcher/exclude": "true"}),
    ],
    ids=["label missing", "excluded"],
)
def test_what_somebody_did_not_want_followed_is_no_detection_later(pod: Pod) -> None:
    passes = Appearances()
    passes.at(5.0, [TWO], [])
    passes.at(6.0, [TWO], [pod])
    assert passes.at(3600.0, [TWO], [POD_TWO]) == {}


def test_nor_is_a_namespace_that_the_operator_did_not_want() -> None:
    passes = Appearances()
    passes.at(5.0, [TWO], [POD_TWO], attrs.evolve(RULES, exclude_namespaces=("default",)))
    assert passes.at(3600.0, [TWO], [POD_TWO]) == {}


def test_a_container_without_a_log_counts_from_the_log_s_appearance() -> None:
    passes = Appearances()
    passes.at(5.0, [NO_LOG], [POD_TWO])
    assert passes.at(8.0, [TWO], [POD_TWO]) == {TWO.key: 8.0}


def test_a_log_that_is_out_of_sight_for_a_moment_is_not_new() -> None:
    passes = Appearances(TWO, pods=[POD_TWO])
    passes.at(5.0, [NO_LOG], [POD_TWO])
    assert passes.at(6.0, [TWO], [POD_TWO]) == {}


def test_a_log_that_was_forgotten_is_new_when_it_is_back() -> None:
    bare = attrs.evolve(POD_TWO, labels={})
    passes = Appearances(TWO, pods=[bare])
    passes.at(7.0, [], [POD_TWO])
    assert passes.at(8.0, [TWO], [POD_TWO]) == {TWO.key: 8.0}


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
