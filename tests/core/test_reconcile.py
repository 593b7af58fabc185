"""What is remembered from pass to pass, and how agents' workers behave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kube_log_watcher_core.models import (
    Container,
    FrozenMap,
    Layout,
    NodeContext,
    Obstacle,
    Pod,
    Pods,
    Reason,
    Work,
)
from kube_log_watcher_core.reconcile import DrainRules, FreshLists, Memory, Patience, Waiting
from kube_log_watcher_core.reconcile.waiting import CALM_SECONDS
from kube_log_watcher_core.resolve import Resolution, Rules

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
    waiting = Waiting()
    waiting.update(["a"], 0)
    assert waiting.next_deadline(30, 0) == 30
    waiting.update(["a", "b"], 29)
    assert waiting.over(30, 29) == frozenset()
    assert waiting.over(30, 30) == {"a"}
    waiting.update(["b"], 40)
    waiting.update(["a", "b"], 41)
    assert waiting.over(30, 60) == {"b"}


def test_an_unknown_pod_asks_for_a_list_after_five_seconds_and_then_ever_more_rarely() -> None:
    lists = FreshLists()
    asked = [now for now in range(3600) if lists.due(["a"], now)]
    assert asked == [5, 15, 35, 75, 155, 315, 635, 1235, 1835, 2435, 3035]


def test_after_a_calm_a_new_unknown_pod_asks_in_its_own_time_whatever_the_old_ones_do() -> None:
    lists = FreshLists()
    for now in range(1000):
        lists.due(["old"], now)
    lists.due(["old", "new"], 1000)
    assert lists.next_deadline() == 1005
    asked = [now for now in range(1001, 1100) if lists.due(["old", "new"], now)]
    assert asked == [1005, 1015, 1035, 1075]


def test_many_unknown_pods_come_to_no_more_lists_than_one() -> None:
    """Four a second, each there for a while: one budget is theirs together."""
    lists = FreshLists()
    asked = [
        tick / 4 for tick in range(4 * 3600) if lists.due([f"{n}" for n in range(tick - 80, tick)], tick / 4)
    ]
    assert len(asked) == 11


@pytest.mark.parametrize("every", [1, 5, 30, 119, 120, 121, 300])
def test_unknown_pods_that_come_slowly_are_no_poll_either(every: int) -> None:
    """However they are spread: at most as many lists as one pod asks for in a calm, for each calm."""
    lists = FreshLists()
    keys = ([f"{number}" for number in range(now // every + 1)] for now in range(3600))
    assert sum(lists.due(each, now) for now, each in enumerate(keys)) <= 4 * 3600 / CALM_SECONDS


def test_after_a_storm_and_a_calm_a_new_pod_gets_its_list_promptly() -> None:
    lists = FreshLists()
    for tick in range(4 * 600):
        lists.due([f"{number}" for number in range(tick - 80, tick)], tick / 4)
    for now in range(600, 600 + int(CALM_SECONDS)):
        lists.due([], now)
    assert lists.next_deadline() is None
    assert [now for now in range(720, 740) if lists.due(["honest"], now)] == [725, 735]


def test_what_waits_for_the_budget_is_not_looked_at_in_between() -> None:
    lists = FreshLists()
    lists.due(["a"], 0)
    assert lists.next_deadline() == 5
    lists.due(["a"], 5)
    lists.due(["a", "b"], 6)
    assert lists.next_deadline() == 15


class Life:
    """A memory with a clock that the test sets."""

    def __init__(self, work: Work | None = None, *, drain: float = 0.0, drain_max: float = 0.0) -> None:
        self.now = 0.0
        self.rules = RULES
        self.patience = Patience(gate_seconds=30.0, drain=DrainRules(seconds=drain, max_seconds=drain_max))
        self.memory = Memory(work or Work(), clock=lambda: self.now, wall=lambda: 1_000_000 + self.now)

    def look(
        self,
        containers: Sequence[Container],
        pods: Sequence[Pod],
        *,
        now: float | None = None,
        sizes: Mapping[str, int] | None = None,
        gone: Sequence[Pod] = (),
    ) -> Resolution:
        self.now = self.now + 1 if now is None else now
        return self.memory.reconcile(
            containers,
            Pods(pods),
            rules=self.rules,
            patience=self.patience,
            sizes=sizes or {},
            gone={each.uid: each for each in gone},
        )

    def draining(self) -> list[str]:
        return [each.target.id for each in self.memory.work.departed]


BLOCKED = container(obstacle=Obstacle(Reason.NO_LOG), log_path=None)


def test_a_container_that_is_skipped_for_a_moment_keeps_its_gone_pod() -> None:
    life = Life()
    life.look([container()], [pod()])
    assert not life.look([BLOCKED], []).targets
    assert life.look([container()], []).targets


def test_a_container_that_is_gone_is_forgotten() -> None:
    life = Life()
    life.look([container()], [pod()])
    life.look([], [])
    assert [skip.reason for skip in life.look([container()], []).skipped] == [Reason.POD_AWAITED]


def test_a_pod_that_does_not_come_counts_as_unknown_after_the_gates_time_and_is_taken_up_when_it_does() -> (
    None
):
    life = Life()
    assert [skip.reason for skip in life.look([container()], [], now=0).skipped] == [Reason.POD_AWAITED]
    assert life.memory.next_deadline() == 5, "a fresh list"
    assert [skip.reason for skip in life.look([container()], [], now=30).skipped] == [Reason.POD_UNKNOWN]
    assert life.look([container()], [pod()], now=300).targets


def test_an_id_that_does_not_come_is_made_up_after_the_gates_time() -> None:
    life = Life()
    there = container(id=None, layout=Layout.CRI)
    assert not life.look([there], [pod()], now=0).targets
    assert life.memory.next_deadline() == 30
    assert life.look([there], [pod()], now=30).targets


def test_targets_of_an_earlier_life_stand_in_for_pods_that_are_gone() -> None:
    first = Life().look([container()], [pod()])
    assert Life(Work(first.targets)).look([container()], []).targets == first.targets


def test_a_gone_log_drains_with_the_size_that_was_seen_last_and_when_it_went() -> None:
    life = Life(drain=300)
    life.look([container()], [pod()], now=0)
    assert not life.look([], [], now=10, sizes={container().key: 4711}).targets
    departed = life.memory.work.departed
    assert [(each.target.pod_name, each.since, each.size) for each in departed] == [
        ("pod-0", 1_000_010, 4711)
    ]


@pytest.mark.parametrize("reason", [Reason.NO_LOG, Reason.NO_CONFIG, Reason.BROKEN_CONFIG])
def test_a_container_that_loses_its_files_one_by_one_drains(reason: Reason) -> None:
    life = Life(drain=300)
    life.look([container()], [pod()])
    life.look([container(obstacle=Obstacle(reason), log_path=None)], [pod()])
    assert life.draining() == [container().id]


def test_a_log_that_is_no_longer_wanted_does_not_drain() -> None:
    life = Life(drain=300)
    life.look([container()], [pod()])
    life.look([container()], [pod(application="")])
    assert life.draining() == []


def test_a_container_that_comes_back_within_its_drain_is_a_target_again() -> None:
    life = Life(drain=300)
    first = life.look([container()], [pod()])
    life.look([], [])
    assert life.look([container()], []).targets == first.targets
    assert life.draining() == []


class CountingLabels(FrozenMap):
    """Labels that count how often they are read: a target that is made anew reads them."""

    reads = 0

    def __getitem__(self, key: str) -> str:
        CountingLabels.reads += 1
        return super().__getitem__(key)


def crowd() -> tuple[list[Container], list[Pod]]:
    """Make a hundred containers and their pods, whose labels count."""
    labels = CountingLabels({"application": "shop"})
    return (
        [container(number) for number in range(100)],
        [attrs.evolve(pod(number), labels=labels) for number in range(100)],
    )


def same_objects(before: Resolution, after: Resolution) -> int:
    """Count the targets that are the very same objects: what is derived from them is found by identity."""
    known = {id(target) for target in before.targets}
    return sum(id(target) in known for target in after.targets)


def test_anothers_drain_leaves_unchanged_targets_the_very_same_objects() -> None:
    life = Life(drain=300)
    there, pods = crowd()
    first = life.look(there, pods)
    CountingLabels.reads = 0
    for _ in range(3):
        again = life.look(there[1:], pods)
        assert life.draining() == [there[0].id]
        assert same_objects(first, again) == 99
        assert life.memory.work.departed[0].target is first.targets[0]
    assert CountingLabels.reads == 0, "nothing is made anew to see that it is the same"


@pytest.mark.parametrize(
    "skipped", [container(), container(obstacle=Obstacle(Reason.NOT_A_FILE), log_path=None)]
)
def test_a_container_that_is_no_longer_followed_leaves_the_others_the_very_same_objects(
    skipped: Container,
) -> None:
    life = Life(drain=300)
    there, pods = crowd()
    first = life.look(there, pods)
    CountingLabels.reads = 0
    for _ in range(3):
        again = life.look([skipped, *there[1:]], [pod(application=""), *pods[1:]])
        assert [each.container.key for each in again.skipped] == [skipped.key]
        assert same_objects(first, again) == 99
    assert CountingLabels.reads == 0, "nothing is made anew to see that it is the same"


def test_a_container_that_comes_back_is_made_by_the_rules_of_now() -> None:
    life = Life()
    there, pods = [container(0), container(1)], [pod(0), pod(1)]
    life.look(there, pods)
    life.look([BLOCKED, there[1]], pods)
    life.rules = attrs.evolve(RULES, node=NodeContext(cluster_id="c-2"))
    life.look([BLOCKED, there[1]], pods)
    again = life.look(there, pods)
    assert [target.cluster_id for target in again.targets] == ["c-2", "c-2"]


def test_rules_that_change_nothing_leave_the_very_same_objects() -> None:
    life = Life()
    there, pods = [container(0), container(1)], [pod(0), pod(1)]
    first = life.look(there, pods)
    life.rules = attrs.evolve(RULES, exclude_namespaces=("kube-system",))
    assert same_objects(first, life.look(there, pods)) == 2


def test_without_drain_seconds_there_is_no_drain() -> None:
    life = Life(drain=0, drain_max=900)
    life.look([container()], [pod()])
    life.look([], [])
    assert life.draining() == []


def test_what_all_agents_have_finished_with_is_forgotten() -> None:
    life = Life(drain=300)
    life.look([container(0), container(1)], [pod(0), pod(1)])
    life.look([], [])
    life.memory.finished(frozenset({container(0).key}))
    assert life.draining() == [container(1).id]
    life.look([], [])
    assert life.draining() == [container(1).id]


def test_a_drain_that_no_agent_ends_is_forgotten_after_its_bound() -> None:
    life = Life(drain=300, drain_max=900)
    life.look([container()], [pod()], now=0)
    life.look([], [], now=1)
    life.look([], [], now=905)
    assert life.draining() == [container().id]
    life.look([], [], now=950)
    assert life.draining() == []


def test_a_drain_goes_on_after_a_restart_and_what_went_meanwhile_begins_one() -> None:
    life = Life(drain=300)
    life.look([container(0), container(1)], [pod(0), pod(1)], now=0)
    life.look([container(1)], [pod(1)], now=10)
    later = Life(life.memory.work, drain=300)
    later.look([], [], now=50)
    assert sorted((each.target.id[-1], each.since) for each in later.memory.work.departed) == [
        ("0", 1_000_010),
        ("1", 1_000_050),
    ]


def test_a_drain_is_looked_at_every_few_seconds_and_at_its_end() -> None:
    life = Life(drain=12)
    life.look([container()], [pod()], now=0)
    life.look([], [], now=1)
    assert life.memory.next_deadline() == 6
    life.look([], [], now=11)
    assert life.memory.next_deadline() == 13


def test_a_pod_that_leaves_with_a_change_leaves_its_logs_with_that_change() -> None:
    """MODIFIED and DELETED come close together; the rule that was added may be one that redacts."""
    life = Life()
    life.look([container()], [pod()])
    assert life.look([container()], [], gone=[pod(application="last")]).targets[0].application == "last"
    assert life.look([container()], []).targets[0].application == "last"


def test_a_pod_that_came_and_went_before_its_log_was_followed_is_known_all_the_same() -> None:
    life = Life()
    life.look([BLOCKED], [pod()])
    life.look([BLOCKED], [], gone=[pod()])
    life.look([BLOCKED], [])
    assert life.look([container()], []).targets


def test_a_pod_that_was_excluded_stays_so_when_it_has_left() -> None:
    excluded = attrs.evolve(pod(), annotations=FrozenMap({"kubernetes-log-watcher/exclude": "true"}))
    life = Life()
    life.look([container()], [excluded])
    for gone in ([excluded], []):
        skipped = life.look([container()], [], gone=gone).skipped
        assert [skip.reason for skip in skipped] == [Reason.EXCLUDED]


@pytest.mark.parametrize("after_the_log", [False, True], ids=["with its log", "after its log"])
def test_a_drain_has_the_last_state_of_its_pod(*, after_the_log: bool) -> None:
    """Files go 14 ms before to 110 ms after the event."""
    life = Life(drain=300)
    life.look([container()], [pod()])
    if after_the_log:
        life.look([], [pod()])
    life.look([], [], gone=[pod(application="last")])
    assert [each.target.application for each in life.memory.work.departed] == ["last"]
    before = life.memory.work.departed
    life.look([], [])
    assert life.memory.work.departed[0] is before[0]


def test_a_drain_with_the_id_of_a_log_that_is_there_is_none() -> None:
    life = Life(drain=300)
    life.look([container(0), container(1)], [pod(0), pod(1)])
    life.look([container(1)], [pod(0), pod(1)])
    (gone,) = life.memory.work.departed
    forged = attrs.evolve(gone, target=attrs.evolve(gone.target, id=f"{1:064x}"))
    later = Life(Work(life.memory.work.targets, (forged,)), drain=300)
    assert [target.id for target in later.look([container(1)], [pod(1)]).targets] == [container(1).id]
    assert later.draining() == []


def test_a_drain_ends_when_its_pods_last_state_does_not_want_it() -> None:
    life = Life(drain=300)
    life.look([container()], [pod()])
    life.look([], [], gone=[pod(application="")])
    assert life.draining() == []


class AnyHistory(RuleBasedStateMachine):
    """Whatever happened before, the outcome is that of the containers and pods that are there."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life(drain=5)
        self.containers: dict[int, Container] = {}
        self.pods: dict[int, Pod] = {}
        self.was_target: set[int] = set()
        self.resolution = Resolution()

    def look(self) -> None:
        self.resolution = self.life.look(list(self.containers.values()), list(self.pods.values()))
        drained = {int(each, 16) for each in self.life.draining()}
        self.was_target &= set(self.containers) | drained
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
    def nothing_drains_that_is_there(self) -> None:
        assert not {int(each, 16) for each in self.life.draining()} & self.containers.keys()

    @invariant()
    def a_container_whose_pod_was_seen_is_never_said_to_have_none(self) -> None:
        for skip in self.resolution.skipped:
            if skip.reason in (Reason.POD_UNKNOWN, Reason.POD_AWAITED):
                assert int(skip.container.key, 16) not in self.was_target


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
