"""What is remembered from pass to pass, and how agents' workers behave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kube_log_watcher_core.models import (
    Container,
    Departed,
    FrozenMap,
    Layout,
    NodeContext,
    Obstacle,
    Pod,
    Pods,
    Reason,
    Work,
)
from kube_log_watcher_core.reconcile import DrainRules, Pass, Reconciler, State, Timeouts
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


class Reconciling:
    """A reconciler with clocks and sizes that the test sets."""

    def __init__(
        self, work: Work | None = None, *, drain: float = 0.0, drain_max: float = 0.0, now: float = 0.0
    ) -> None:
        self.now = now
        self.set_forth = 0.0
        """By how much the wall clock was set."""
        self.rules = RULES
        self.sizes: dict[Path, int] = {}
        self.timeouts = Timeouts(gate_seconds=30.0, drain=DrainRules(seconds=drain, max_seconds=drain_max))
        self.reconciler = Reconciler(
            work or Work(),
            clock=lambda: self.now,
            wall=lambda: 1_000_000 + self.now + self.set_forth,
            size_of=self.sizes.get,
        )
        self.passed = Pass(Resolution(), Work())

    def look(
        self,
        containers: Sequence[Container],
        pods: Sequence[Pod],
        *,
        now: float | None = None,
        gone: Sequence[Pod] = (),
        read: Sequence[Departed] = (),
    ) -> Resolution:
        self.now = self.now + 1 if now is None else now
        self.passed = self.reconciler.reconcile(
            containers,
            Pods(pods),
            rules=self.rules,
            timeouts=self.timeouts,
            gone={each.uid: each for each in gone},
            read={each.drain for each in read},
            full=True,
        )
        return self.passed.resolution

    @property
    def departed(self) -> tuple[Departed, ...]:
        return self.passed.work.departed

    def draining(self) -> list[str]:
        return [each.target.id for each in self.departed]

    def state(self, number: int = 0) -> State:
        life = self.reconciler.life_of(container(number).key)
        return State.ABSENT if life is None else life.state


BLOCKED = container(obstacle=Obstacle(Reason.NO_LOG), log_path=None)


def test_a_container_that_is_skipped_for_a_moment_keeps_its_gone_pod() -> None:
    life = Reconciling()
    life.look([container()], [pod()])
    assert not life.look([BLOCKED], []).targets
    assert life.look([container()], []).targets


def test_a_container_that_is_gone_is_forgotten() -> None:
    life = Reconciling()
    life.look([container()], [pod()])
    life.look([], [])
    assert [skip.reason for skip in life.look([container()], []).skipped] == [Reason.POD_AWAITED]


def test_a_pod_that_does_not_come_counts_as_unknown_after_the_gates_time_and_is_taken_up_when_it_does() -> (
    None
):
    life = Reconciling()
    assert [skip.reason for skip in life.look([container()], [], now=0).skipped] == [Reason.POD_AWAITED]
    assert life.reconciler.next_deadline() == 5, "a fresh list"
    assert [skip.reason for skip in life.look([container()], [], now=30).skipped] == [Reason.POD_UNKNOWN]
    assert life.look([container()], [pod()], now=300).targets


def test_an_id_that_does_not_come_is_made_up_after_the_gates_time() -> None:
    life = Reconciling()
    there = container(id=None, layout=Layout.CRI)
    assert not life.look([there], [pod()], now=0).targets
    assert life.reconciler.next_deadline() == 30
    assert life.look([there], [pod()], now=30).targets


def test_targets_of_an_earlier_life_stand_in_for_pods_that_are_gone() -> None:
    first = Reconciling().look([container()], [pod()])
    assert Reconciling(Work(first.targets)).look([container()], []).targets == first.targets


def test_a_new_container_of_a_pod_that_only_an_earlier_process_knew_is_followed() -> None:
    first = Reconciling().look([container()], [pod()])
    second = container(1, name="second", pod_name="pod-0", pod_uid="uid-0")
    found = Reconciling(Work(first.targets)).look([container(), second], [])
    assert {target.container_name for target in found.targets} == {"main", "second"}


def test_a_gone_log_drains_with_the_size_that_was_seen_last_and_when_it_went() -> None:
    life = Reconciling(drain=300)
    life.sizes[Path("/logs/0.log")] = 4711
    life.look([container()], [pod()], now=0)
    life.sizes.clear()
    assert not life.look([], [], now=10).targets
    departed = life.departed
    assert [(each.target.pod_name, each.since, each.size) for each in departed] == [
        ("pod-0", 1_000_010, 4711)
    ]


@pytest.mark.parametrize("reason", [Reason.NO_LOG, Reason.NO_CONFIG, Reason.BROKEN_CONFIG])
def test_a_container_that_loses_its_files_one_by_one_drains(reason: Reason) -> None:
    life = Reconciling(drain=300)
    life.look([container()], [pod()])
    life.look([container(obstacle=Obstacle(reason), log_path=None)], [pod()])
    assert life.draining() == [container().id]


def test_a_log_that_is_no_longer_wanted_does_not_drain() -> None:
    life = Reconciling(drain=300)
    life.look([container()], [pod()])
    life.look([container()], [pod(application="")])
    assert life.draining() == []


def test_a_container_that_comes_back_within_its_drain_is_a_target_again() -> None:
    life = Reconciling(drain=300)
    first = life.look([container()], [pod()])
    life.look([], [])
    assert life.look([container()], []).targets == first.targets
    assert life.draining() == []


def test_a_wall_clock_that_is_set_forth_ends_no_drain() -> None:
    life = Reconciling(drain=300, drain_max=900)
    life.look([container()], [pod()], now=0)
    life.look([], [], now=1)
    life.set_forth = 86_400.0
    life.look([], [], now=300)
    assert life.draining() == [container().id]
    assert life.reconciler.next_deadline() == 301
    life.look([], [], now=912)
    assert life.draining() == []


def test_after_a_wall_clock_was_set_back_a_gone_log_went_no_later_than_now() -> None:
    """Else all that a shipper writes down from now on would be older than the end."""
    life = Reconciling(drain=300)
    life.look([container()], [pod()], now=0)
    life.look([], [], now=1)
    life.set_forth = -86_400.0
    life.look([], [], now=5)
    assert [each.since for each in life.departed] == [1_000_005 - 86_400]
    life.look([], [], now=311)
    assert life.draining() == []


def test_a_drain_goes_on_by_the_wall_clock_in_the_next_process() -> None:
    """Nothing else tells how long nobody has been there."""
    life = Reconciling(drain=300)
    life.look([container()], [pod()], now=0)
    life.look([], [], now=10)
    later = Reconciling(life.passed.work, drain=300, now=250)
    later.look([], [], now=309)
    assert later.draining() == [container().id]
    later.look([], [], now=321)
    assert later.draining() == []


def test_what_was_read_before_it_came_back_is_not_read_when_it_goes_again() -> None:
    """An agent that was busy meanwhile still says that it has let go of it, and means the first time."""
    life = Reconciling(drain=300)
    life.look([container()], [pod()])
    life.look([], [])
    (first,) = life.departed
    life.look([container()], [pod()], read=[first])
    life.look([], [], read=[first])
    assert life.draining() == [container().id]


def test_a_pass_tells_what_came_went_was_skipped_and_was_released() -> None:
    life = Reconciling(drain=300)

    def told() -> list[list[str]]:
        ids = [[it.after.key[-1] for it in each] for each in (life.passed.came, life.passed.went)]
        skipped = [it.container.key[-1] for it in life.passed.skipped]
        return [*ids, skipped, [it.after.key[-1] for it in life.passed.released]]

    life.look([container(0), container(1)], [pod(0)])
    assert told() == [["0"], [], ["1"], []]
    life.look([container(0), container(1)], [pod(0)])
    assert told() == [[], [], [], []]
    life.look([container(1)], [pod(1)])
    assert told() == [["1"], ["0"], [], []]
    life.look([container(1)], [pod(1, application="")], read=life.departed)
    assert told() == [[], ["1"], ["1"], ["0"]]


def test_two_passes_in_a_row_are_told_as_one() -> None:
    """What came in the first is no news to the second, and is to be told all the same."""
    life = Reconciling()
    life.look([container()], [pod()])
    first = life.passed
    life.look([container(log_path=Path("/spool/0.log"))], [pod()])
    both = first.followed_by(life.passed)
    assert [it.after.key for it in both.came] == [container().key]
    assert both.resolution is life.passed.resolution
    assert both.work is life.passed.work


def test_what_was_not_understood_is_told_once_and_known_for_as_long_as_it_holds() -> None:
    life = Reconciling()
    odd = attrs.evolve(pod(), annotations={"kubernetes-log-watcher/exclude": "perhaps"})
    told, known = [], []
    for shown in (odd, odd, odd, pod()):
        life.look([container()], [shown])
        record = life.reconciler.life_of(container().key)
        told.append(len(life.passed.remarks))
        known.append(len(record.remarks) if record else None)
    assert (told, known) == ([1, 0, 0, 0], [1, 1, 1, 0])


def test_a_log_goes_through_its_states_and_is_forgotten() -> None:
    life = Reconciling(drain=300)
    states = []
    ending = attrs.evolve(pod(), deleted=5.0)
    for there, pods in (
        ([container()], []),
        ([container()], [pod()]),
        ([container()], [ending]),
        ([BLOCKED], []),
    ):
        life.look(there, pods)
        states.append(life.state())
    life.look([BLOCKED], [], read=life.departed)
    states.append(life.state())
    life.look([], [])
    states.append(life.state())
    assert states == [State.AWAITED, State.FOLLOWED, State.GOING, State.GONE, State.RELEASED, State.ABSENT]


def test_sizes_are_of_new_logs_of_going_pods_and_at_times_of_all() -> None:
    sizes = dict.fromkeys([Path("/logs/0.log"), Path("/logs/1.log")], 1)
    reconciler = Reconciler(Work(), clock=lambda: 0.0, wall=lambda: 0.0, size_of=sizes.get)
    there = [container(0), container(1)]
    going = attrs.evolve(pod(1), deleted=5.0)

    def look(*pods: Pod, full: bool = False) -> list[int | None]:
        reconciler.reconcile(there, Pods(pods), rules=RULES, timeouts=Timeouts(), full=full)
        lives = [reconciler.life_of(each.key) for each in there]
        return [None if life is None else life.size for life in lives]

    assert look(pod(0), going) == [1, 1]
    assert reconciler.next_deadline() == 1.0
    sizes |= dict.fromkeys(sizes, 3)
    assert look(pod(0), going) == [1, 3]
    assert look(pod(0), going, full=True) == [3, 3]
    sizes.clear()
    assert look(pod(0), going, full=True) == [3, 3], "it is going this very moment"


def test_after_a_pod_s_end_nothing_polls() -> None:
    reconciler = Reconciler(Work(), clock=lambda: 0.0, wall=lambda: 0.0)
    for pods in ([pod(0), attrs.evolve(pod(1), deleted=5.0)], [pod(0)]):
        there = [container(number) for number, _ in enumerate(pods)]
        reconciler.reconcile(there, Pods(pods), rules=RULES, timeouts=Timeouts(drain=DrainRules(0)))
    assert reconciler.next_deadline() is None


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
    life = Reconciling(drain=300)
    there, pods = crowd()
    first = life.look(there, pods)
    CountingLabels.reads = 0
    for _ in range(3):
        again = life.look(there[1:], pods)
        assert life.draining() == [there[0].id]
        assert same_objects(first, again) == 99
        assert life.departed[0].target is first.targets[0]
    assert CountingLabels.reads == 0, "nothing is made anew to see that it is the same"


@pytest.mark.parametrize(
    "skipped", [container(), container(obstacle=Obstacle(Reason.NOT_A_FILE), log_path=None)]
)
def test_a_container_that_is_no_longer_followed_leaves_the_others_the_very_same_objects(
    skipped: Container,
) -> None:
    life = Reconciling(drain=300)
    there, pods = crowd()
    first = life.look(there, pods)
    CountingLabels.reads = 0
    for _ in range(3):
        again = life.look([skipped, *there[1:]], [pod(application=""), *pods[1:]])
        assert [each.container.key for each in again.skipped] == [skipped.key]
        assert same_objects(first, again) == 99
    assert CountingLabels.reads == 0, "nothing is made anew to see that it is the same"


def test_a_container_that_comes_back_is_made_by_the_rules_of_now() -> None:
    life = Reconciling()
    there, pods = [container(0), container(1)], [pod(0), pod(1)]
    life.look(there, pods)
    life.look([BLOCKED, there[1]], pods)
    life.rules = attrs.evolve(RULES, node=NodeContext(cluster_id="c-2"))
    life.look([BLOCKED, there[1]], pods)
    again = life.look(there, pods)
    assert [target.cluster_id for target in again.targets] == ["c-2", "c-2"]


def test_rules_that_change_nothing_leave_the_very_same_objects() -> None:
    life = Reconciling()
    there, pods = [container(0), container(1)], [pod(0), pod(1)]
    first = life.look(there, pods)
    life.rules = attrs.evolve(RULES, exclude_namespaces=("kube-system",))
    assert same_objects(first, life.look(there, pods)) == 2


def test_without_drain_seconds_there_is_no_drain() -> None:
    life = Reconciling(drain=0, drain_max=900)
    life.look([container()], [pod()])
    life.look([], [])
    assert life.draining() == []


def test_what_all_agents_have_finished_with_is_forgotten() -> None:
    life = Reconciling(drain=300)
    life.look([container(0), container(1)], [pod(0), pod(1)])
    life.look([], [])
    first, _ = life.departed
    life.look([], [], read=[first])
    assert [it.before.key for it in life.passed.released] == [container(0).key]
    assert life.draining() == [container(1).id]
    life.look([], [])
    assert life.draining() == [container(1).id]


def test_a_drain_that_no_agent_ends_is_forgotten_after_its_bound() -> None:
    life = Reconciling(drain=300, drain_max=900)
    life.look([container()], [pod()], now=0)
    life.look([], [], now=1)
    life.look([], [], now=905)
    assert life.draining() == [container().id]
    life.look([], [], now=950)
    assert life.draining() == []


def test_a_drain_goes_on_after_a_restart_and_what_went_meanwhile_begins_one() -> None:
    life = Reconciling(drain=300)
    life.look([container(0), container(1)], [pod(0), pod(1)], now=0)
    life.look([container(1)], [pod(1)], now=10)
    later = Reconciling(life.passed.work, drain=300, now=50)
    later.look([], [], now=50)
    assert sorted((each.target.id[-1], each.since) for each in later.departed) == [
        ("0", 1_000_010),
        ("1", 1_000_050),
    ]


def test_a_drain_is_looked_at_every_few_seconds_and_at_its_end() -> None:
    life = Reconciling(drain=12)
    life.look([container()], [pod()], now=0)
    life.look([], [], now=1)
    assert life.reconciler.next_deadline() == 6
    life.look([], [], now=11)
    assert life.reconciler.next_deadline() == 13


def test_a_pod_that_leaves_with_a_change_leaves_its_logs_with_that_change() -> None:
    """MODIFIED and DELETED come close together; the rule that was added may be one that redacts."""
    life = Reconciling()
    life.look([container()], [pod()])
    assert life.look([container()], [], gone=[pod(application="last")]).targets[0].application == "last"
    assert life.look([container()], []).targets[0].application == "last"


def test_a_pod_that_came_and_went_before_its_log_was_followed_is_known_all_the_same() -> None:
    life = Reconciling()
    life.look([BLOCKED], [pod()])
    life.look([BLOCKED], [], gone=[pod()])
    life.look([BLOCKED], [])
    assert life.look([container()], []).targets


def test_a_pod_that_was_excluded_stays_so_when_it_has_left() -> None:
    excluded = attrs.evolve(pod(), annotations=FrozenMap({"kubernetes-log-watcher/exclude": "true"}))
    life = Reconciling()
    life.look([container()], [excluded])
    for gone in ([excluded], []):
        skipped = life.look([container()], [], gone=gone).skipped
        assert [skip.reason for skip in skipped] == [Reason.EXCLUDED]


@pytest.mark.parametrize("after_the_log", [False, True], ids=["with its log", "after its log"])
def test_a_drain_has_the_last_state_of_its_pod(*, after_the_log: bool) -> None:
    """Files go 14 ms before to 110 ms after the event."""
    life = Reconciling(drain=300)
    life.look([container()], [pod()])
    if after_the_log:
        life.look([], [pod()])
    life.look([], [], gone=[pod(application="last")])
    assert [each.target.application for each in life.departed] == ["last"]
    before = life.departed
    life.look([], [])
    assert life.departed[0] is before[0]


def test_a_drain_with_the_id_of_a_log_that_is_there_is_none() -> None:
    life = Reconciling(drain=300)
    life.look([container(0), container(1)], [pod(0), pod(1)])
    life.look([container(1)], [pod(0), pod(1)])
    (gone,) = life.departed
    forged = attrs.evolve(gone, target=attrs.evolve(gone.target, id=f"{1:064x}"))
    later = Reconciling(Work(life.passed.work.targets, (forged,)), drain=300)
    assert [target.id for target in later.look([container(1)], [pod(1)]).targets] == [container(1).id]
    assert later.draining() == []


def test_a_drain_ends_when_its_pods_last_state_does_not_want_it() -> None:
    life = Reconciling(drain=300)
    life.look([container()], [pod()])
    life.look([], [], gone=[pod(application="")])
    assert life.draining() == []


class AnyHistory(RuleBasedStateMachine):
    """Whatever happened before, the outcome is that of the containers and pods that are there."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Reconciling(drain=5)
        self.containers: dict[int, Container] = {}
        self.pods: dict[int, Pod] = {}
        self.was_target: set[int] = set()
        self.resolution = Resolution()

    def look(self, *, read: Sequence[Departed] = ()) -> None:
        before = self.followed()
        self.resolution = self.life.look(list(self.containers.values()), list(self.pods.values()), read=read)
        drained = self.drained()
        unwanted = {number for number, each in self.pods.items() if not each.labels["application"]}
        assert before - self.with_log() - unwanted <= drained, "a followed log that goes drains"
        self.was_target &= set(self.containers) | drained
        self.was_target |= self.followed()

    def followed(self) -> set[int]:
        return {int(target.id, 16) for target in self.resolution.targets}

    def drained(self) -> set[int]:
        return {int(each, 16) for each in self.life.draining()}

    def with_log(self) -> set[int]:
        return {number for number, each in self.containers.items() if each.obstacle is None}

    @rule(number=st.integers(0, 3))
    def container_comes(self, number: int) -> None:
        self.containers[number] = container(number)
        self.look()

    @rule(number=st.integers(0, 3))
    def container_goes(self, number: int) -> None:
        self.containers.pop(number, None)
        self.look()

    @rule(number=st.integers(0, 3))
    def log_goes_before_its_container(self, number: int) -> None:
        self.containers[number] = container(number, obstacle=Obstacle(Reason.NO_LOG), log_path=None)
        self.look()

    @rule(
        number=st.integers(0, 3),
        application=st.sampled_from(["shop", "cart", ""]),
        deleted=st.sampled_from([None, 5.0]),
    )
    def pod_is_or_changes(self, number: int, application: str, deleted: float | None) -> None:
        self.pods[number] = attrs.evolve(pod(number, application), deleted=deleted)
        self.look()

    @rule(number=st.integers(0, 3))
    def pod_goes(self, number: int) -> None:
        self.pods.pop(number, None)
        self.look()

    @rule()
    def agents_have_read_what_has_gone(self) -> None:
        read = self.life.departed
        self.look(read=read)
        assert not {each.target.container.key for each in read} & {
            each.target.container.key for each in self.life.departed
        }

    @rule(seconds=st.sampled_from([1.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.life.now += seconds
        self.was_target.intersection_update(self.containers)
        self.resolution = Resolution() if seconds > 1 else self.resolution
        self.look()

    @rule(seconds=st.sampled_from([-86_400.0, 86_400.0]))
    def wall_clock_is_set(self, seconds: float) -> None:
        self.life.set_forth += seconds
        self.look()

    @rule()
    def process_ends_and_another_begins(self) -> None:
        work = self.life.passed.work
        later = Reconciling(work, drain=5, now=self.life.now)
        later.set_forth = self.life.set_forth
        self.life = later
        left = {int(each.id, 16) for each in work.targets} | {int(it.target.id, 16) for it in work.departed}
        self.was_target &= left
        self.look()

    @invariant()
    def every_labelled_pods_log_is_followed_with_its_labels_of_now(self) -> None:
        followed = {int(target.id, 16): target.application for target in self.resolution.targets}
        for number in self.with_log() & self.pods.keys():
            application = self.pods[number].labels["application"]
            assert followed.get(number) == (application or None)

    @invariant()
    def nothing_is_followed_without_a_log(self) -> None:
        assert self.followed() <= self.with_log()

    @invariant()
    def nothing_drains_that_is_there(self) -> None:
        assert not self.drained() & self.with_log()

    @invariant()
    def a_container_whose_pod_was_seen_is_never_said_to_have_none(self) -> None:
        for skip in self.resolution.skipped:
            if skip.reason in (Reason.POD_UNKNOWN, Reason.POD_AWAITED):
                assert int(skip.container.key, 16) not in self.was_target

    @invariant()
    def there_is_a_record_of_what_is_there_or_drains_and_of_nothing_else(self) -> None:
        kept = {number for number in range(4) if self.life.reconciler.life_of(container(number).key)}
        assert kept == self.containers.keys() | self.drained()

    @invariant()
    def the_record_says_what_was_decided(self) -> None:
        for number in range(4):
            state = self.life.state(number)
            assert (state in (State.FOLLOWED, State.GOING)) == (number in self.followed())
            assert (state is State.GONE) == (number in self.drained())


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
