"""What is remembered from pass to pass, and how agents' workers behave."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kube_log_watcher_core.errors import AgentError
from kube_log_watcher_core.models import Container, FrozenMap, Layout, LogTarget, Obstacle, Pod, Pods, Reason
from kube_log_watcher_core.reconcile import Memory, PodsNotSeen, Waiting, Worker
from kube_log_watcher_core.resolve import Resolution, Rules
from support import wait_until

RULES = Rules(strict_labels=("application",))


def container(number: int = 0, **changes: object) -> Container:
    plain = Container(
        key=f"{number:064x}",
        id=f"{number:064x}",
        layout=Layout.DOCKER,
        name="main",
        pod_name=f"pod-{number}",
        namespace="default",
        pod_uid=f"uid-{number}",
        log_path=Path(f"/logs/{number}.log"),
    )
    return attrs.evolve(plain, **changes)  # type: ignore[arg-type]


def pod(number: int = 0, application: str = "shop") -> Pod:
    labels = FrozenMap({"application": application})
    return Pod(uid=f"uid-{number}", name=f"pod-{number}", namespace="default", labels=labels)


def test_a_key_has_waited_when_its_time_is_over_and_starts_anew_after_a_gap() -> None:
    waiting = Waiting(30)
    waiting.update(["a"], 0)
    assert waiting.next_deadline(0) == 30
    waiting.update(["a", "b"], 29)
    assert waiting.over(29) == frozenset()
    assert waiting.over(30) == {"a"}
    waiting.update(["b"], 40)
    waiting.update(["a", "b"], 41)
    assert waiting.over(60) == {"b"}


def test_an_unknown_pod_asks_for_a_list_after_five_seconds_and_then_ever_more_rarely() -> None:
    unseen = PodsNotSeen()
    asked = [now for now in range(3600) if unseen.due(["a"], now)]
    assert asked == [5, 15, 35, 75, 155, 315, 635, 1235, 1835, 2435, 3035]


def test_a_new_unknown_pod_asks_in_its_own_time_whatever_the_old_ones_do() -> None:
    unseen = PodsNotSeen()
    for now in range(1000):
        unseen.due(["old"], now)
    unseen.due(["old", "new"], 1000)
    assert unseen.next_deadline() == 1005
    assert unseen.due(["old", "new"], 1005)


def test_a_container_that_is_skipped_for_a_moment_keeps_its_gone_pod() -> None:
    memory = Memory()
    memory.reconcile([container()], Pods([pod()]), rules=RULES, now=0)
    blocked = container(obstacle=Obstacle(Reason.NO_LOG), log_path=None)
    assert not memory.reconcile([blocked], Pods([]), rules=RULES, now=1).targets
    assert memory.reconcile([container()], Pods([]), rules=RULES, now=2).targets


def test_a_container_that_is_gone_is_forgotten() -> None:
    memory = Memory()
    memory.reconcile([container()], Pods([pod()]), rules=RULES, now=0)
    memory.reconcile([], Pods([]), rules=RULES, now=1)
    skipped = memory.reconcile([container()], Pods([]), rules=RULES, now=2).skipped
    assert [skip.reason for skip in skipped] == [Reason.POD_UNKNOWN]


def test_an_id_that_does_not_come_is_made_up_after_its_time() -> None:
    memory = Memory()
    there = container(id=None, layout=Layout.CRI)
    assert not memory.reconcile([there], Pods([pod()]), rules=RULES, now=0).targets
    assert memory.next_deadline(0) == 30
    assert memory.reconcile([there], Pods([pod()]), rules=RULES, now=30).targets


def test_targets_of_an_earlier_life_stand_in_for_pods_that_are_gone() -> None:
    first = Memory().reconcile([container()], Pods([pod()]), rules=RULES, now=0)
    later = Memory({target.container.key: target for target in first.targets})
    assert later.reconcile([container()], Pods([]), rules=RULES, now=0).targets == first.targets


class AnyHistory(RuleBasedStateMachine):
    """Whatever happened before, the outcome is that of the containers and pods that are there."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = Memory()
        self.now = 0.0
        self.containers: dict[int, Container] = {}
        self.pods: dict[int, Pod] = {}
        self.was_target: set[int] = set()
        self.resolution = Resolution()

    def look(self) -> None:
        self.now += 1
        self.resolution = self.memory.reconcile(
            list(self.containers.values()), Pods(self.pods.values()), rules=RULES, now=self.now
        )
        self.was_target &= set(self.containers)
        self.was_target |= {int(target.id, 16) for target in self.resolution.targets}

    @rule(number=st.integers(0, 3))
    def container_comes(self, number: int) -> None:
        self.containers[number] = container(number)
        self.look()

    @rule(number=st.integers(0, 3))
    def container_goes(self, number: int) -> None:
        self.containers.pop(number, None)
        self.look()

    @rule(number=st.integers(0, 3), application=st.sampled_from(["shop", "cart", ""]))
    def pod_is_or_changes(self, number: int, application: str) -> None:
        self.pods[number] = pod(number, application)
        self.look()

    @rule(number=st.integers(0, 3))
    def pod_goes(self, number: int) -> None:
        self.pods.pop(number, None)
        self.look()

    @invariant()
    def every_labelled_pods_container_is_followed_with_its_labels_of_now(self) -> None:
        followed = {int(target.id, 16): target.application for target in self.resolution.targets}
        for number in self.containers.keys() & self.pods.keys():
            application = self.pods[number].labels["application"]
            assert followed.get(number) == (application or None)

    @invariant()
    def nothing_is_followed_without_a_container(self) -> None:
        assert {int(target.id, 16) for target in self.resolution.targets} <= self.containers.keys()

    @invariant()
    def a_container_whose_pod_was_never_seen_is_not_followed(self) -> None:
        for skip in self.resolution.skipped:
            if skip.reason is Reason.POD_UNKNOWN:
                assert int(skip.container.key, 16) not in self.was_target


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)


class Recorder:
    """What a worker called."""

    def __init__(self, *, fail: int = 0) -> None:
        self.calls: list[tuple[int, bool]] = []
        self.free = threading.Event()
        self.free.set()
        self._fail = fail

    def sync(self, targets: Sequence[LogTarget], recheck: bool) -> None:  # noqa: FBT001
        self.calls.append((len(targets), recheck))
        assert self.free.wait(10)
        if self._fail:
            self._fail -= 1
            raise AgentError("no space left")


def targets(count: int) -> tuple[LogTarget, ...]:
    containers = [container(number) for number in range(count)]
    return Memory().reconcile(containers, Pods(map(pod, range(count))), rules=RULES, now=0).targets


def test_a_worker_syncs_what_is_submitted() -> None:
    recorder = Recorder()
    worker = Worker("a", recorder.sync)
    worker.start()
    worker.submit(targets(2))
    wait_until(lambda: worker.status.syncs == 1)
    assert recorder.calls == [(2, False)]
    assert worker.stop(wait_seconds=5)


def test_the_latest_targets_win_and_a_wanted_comparison_is_not_lost() -> None:
    recorder = Recorder()
    recorder.free.clear()
    worker = Worker("a", recorder.sync)
    worker.start()
    worker.submit(targets(1))
    wait_until(lambda: recorder.calls == [(1, False)])
    worker.submit(targets(2), recheck=True)
    worker.submit(targets(3))
    recorder.free.set()
    wait_until(lambda: worker.status.syncs == 2)
    assert recorder.calls == [(1, False), (3, True)]
    worker.stop(wait_seconds=5)


def test_a_failure_is_tried_again_with_the_comparison_that_it_wanted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    recorder = Recorder(fail=2)
    worker = Worker("a", recorder.sync)
    worker.start()
    worker.submit(targets(1), recheck=True)
    wait_until(lambda: worker.status.syncs == 1)
    assert recorder.calls == [(1, True)] * 3
    assert caplog.text.count("no space left") == 1, "the same failure is told once"
    assert "works again after 2 failures" in caplog.text
    worker.stop(wait_seconds=5)


def test_newer_targets_replace_those_of_a_failed_sync() -> None:
    recorder = Recorder(fail=1)
    recorder.free.clear()
    worker = Worker("a", recorder.sync)
    worker.start()
    worker.submit(targets(1), recheck=True)
    wait_until(lambda: len(recorder.calls) == 1)
    worker.submit(targets(2))
    recorder.free.set()
    wait_until(lambda: worker.status.syncs == 1)
    assert recorder.calls == [(1, True), (2, True)]
    worker.stop(wait_seconds=5)


def test_what_comes_first_is_done_before_the_first_sync_even_when_there_are_no_targets() -> None:
    calls: list[str] = []
    worker = Worker(
        "a", lambda targets, _: calls.append(f"sync {len(targets)}"), first=lambda: calls.append("first")
    )
    worker.start()
    wait_until(lambda: calls == ["first"])
    worker.submit(())
    wait_until(lambda: calls == ["first", "sync 0"])
    worker.stop(wait_seconds=5)


def test_a_hanging_sync_is_reported_once_and_does_not_hold_up_the_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorder = Recorder()
    recorder.free.clear()
    worker = Worker("slow", recorder.sync, clock=lambda: 100.0)
    worker.start()
    worker.submit(targets(1))
    wait_until(lambda: worker.status.busy_since is not None)
    assert worker.slow_at() == 130
    worker.report_slow(129)
    assert "slow" not in caplog.text
    worker.report_slow(131)
    worker.report_slow(140)
    assert caplog.text.count("agent slow has been working on one sync for 31 s") == 1
    assert not worker.stop(wait_seconds=0.01)
    recorder.free.set()


def test_no_sync_begins_after_the_stop() -> None:
    recorder = Recorder()
    worker = Worker("a", recorder.sync)
    worker.start()
    worker.stop(wait_seconds=5)
    worker.submit(targets(1))
    assert worker.stop(wait_seconds=5)
    assert recorder.calls == []
