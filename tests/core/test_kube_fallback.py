"""Asking for pods singly."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import attrs
import pytest

from kube_log_watcher_core.kube import Timing
from kube_log_watcher_core.kube.fallback import Questions, can_exist, common_node
from kube_log_watcher_core.models import Pod
from kube_log_watcher_core.testing.fake_api import Body, FakeApi, Refuse, pod_object
from kube_support import QUICK, Changes, names, watching
from support import wait_until

A, B = ("shop", "a-1"), ("shop", "b-1")


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as running:
        running.add(pod_object("a-1", namespace="shop", labels={"application": "a"}))
        yield running


# ---------------------------------------------------------------------- when to ask


def asked_at(*, found: bool, until: float, timing: Timing | None = None) -> list[float]:
    questions = Questions(timing or Timing())
    questions.want([A], now=0.0)
    times: list[float] = []
    while (due := questions.next_due()) is not None and due <= until:
        times.append(due)
        questions.answered(A, found=found, now=due)
    return times


def test_a_pod_that_is_missing_is_asked_for_less_and_less() -> None:
    assert asked_at(found=False, until=12.0) == pytest.approx([0, 1.5, 4.5, 10.5])
    assert asked_at(found=False, until=300.0)[-3:] == pytest.approx([154.5, 214.5, 274.5])


def test_a_pod_that_was_found_is_asked_for_seldom() -> None:
    assert asked_at(found=True, until=1000.0) == pytest.approx([0, 15, 45, 105, 225, 465, 705, 945])


def test_another_answer_than_before_starts_the_intervals_over() -> None:
    questions = Questions(Timing())
    questions.want([A], now=0.0)
    for now in (0.0, 1.5, 4.5):
        questions.answered(A, found=False, now=now)
    questions.answered(A, found=True, now=10.5)
    assert questions.next_due() == pytest.approx(25.5)


def test_a_name_that_is_new_is_due_at_once_and_one_that_is_gone_is_forgotten() -> None:
    questions = Questions(Timing())
    questions.want([A], now=0.0)
    questions.answered(A, found=True, now=0.0)
    complete = [questions.complete]
    questions.want([A, B], now=1.0)
    assert questions.due(1.0) == [B]
    complete.append(questions.complete)
    questions.want([], now=2.0)
    assert questions.next_due() is None
    assert [*complete, questions.complete] == [True, False, True]
    questions.answered(A, found=True, now=2.0)  # an answer that came too late
    assert questions.next_due() is None


def test_a_hurry_has_its_bounds() -> None:
    questions = Questions(Timing())
    questions.want([A], now=0.0)
    questions.hurry()
    assert questions.due(0.0) == [A]
    questions.answered(A, found=True, now=0.0)
    questions.hurry()
    questions.hurry()
    assert questions.next_due() == pytest.approx(3.0)


def test_a_question_that_can_not_be_answered_is_put_off_but_stays_open() -> None:
    questions = Questions(Timing())
    questions.want([A], now=0.0)
    times = []
    for _ in range(3):
        questions.failed(A, now=0.0)
        times.append(questions.next_due())
    assert times == pytest.approx([1.5, 3.0, 6.0])
    assert not questions.complete
    questions.failed(B, now=0.0)  # nobody wants it any more


def test_what_a_list_has_shown_is_not_asked_for() -> None:
    questions = Questions(Timing())
    questions.want([A, B], now=0.0)
    questions.known([A, ("other", "x")], now=0.0)
    assert questions.due(0.0) == [B]


@pytest.mark.parametrize(
    "name", ["", "..", ".", "a/b", "a b", "A", "a?b", "-a", "a-", "a" * 300, "a%2f", "\n"]
)
def test_what_can_be_no_name_is_not_asked_for(name: str) -> None:
    """Folder names come from disk, and ``..`` in a path would ask for something else."""
    assert not can_exist(("shop", name))
    assert not can_exist((name, "a-1"))
    assert can_exist(("shop", "a-1.example"))


def test_most_pods_tell_the_node() -> None:
    """One folder may have outlived its pod, which runs elsewhere by now."""
    on = [
        Pod(uid=str(number), name="a", namespace="b", node=node)
        for number, node in enumerate(("x", "y", "y"))
    ]
    assert common_node(on) == "y"
    assert common_node([Pod(uid="1", name="a", namespace="b")]) is None
    assert common_node([]) is None


# ---------------------------------------------------------------------- no right to list


def test_a_refusal_that_passes_is_no_missing_right(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    """For 50 ms after its start a real server refuses those who do have the right."""
    api.fail(Refuse(403), verb="list", times=2)
    with watching(api) as watch:
        watch.want([A])
        wait_until(lambda: api.open_watches == 1)
        assert api.count("get") == 0
        assert watch.synced
    assert caplog.records == []


def test_without_the_right_to_list_the_wanted_pods_are_asked_for(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.forbid("list", "watch")
    api.add(pod_object("c-1", namespace="shop"))
    with watching(api) as watch:
        watch.want([A, B])
        wait_until(lambda: watch.synced)
        assert names(watch) == {"a-1"}
        assert watch.status().state in ("fallback", "listing")
        api.add(pod_object("b-1", namespace="shop"))
        wait_until(lambda: names(watch) == {"a-1", "b-1"})
        wait_until(lambda: watch.status().requests[("list", "403")] > 4)
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "may not list pods at cluster scope" in errors[0]
    assert "get, list and watch" in errors[0]


def test_nothing_is_synced_before_anybody_looked_at_the_disk(api: FakeApi) -> None:
    api.forbid("list")
    with watching(api) as watch:
        wait_until(lambda: watch.status().state == "fallback")
        wait_until(lambda: api.count("list", 403) > 3)
        assert not watch.synced
        watch.want([])
        wait_until(lambda: watch.synced)


def test_a_wanted_pod_that_is_new_is_asked_for_at_once(api: FakeApi) -> None:
    api.forbid("list")
    with watching(api, timing=attrs.evolve(QUICK, relist_seconds=(60.0, 60.0))) as watch:
        watch.want([])
        wait_until(lambda: watch.synced)
        before = time.monotonic()
        watch.want([A])
        wait_until(lambda: names(watch) == {"a-1"})
        assert time.monotonic() - before < 0.5


def test_a_pod_that_is_missing_is_not_asked_for_in_a_loop(api: FakeApi) -> None:
    api.forbid("list")
    timing = attrs.evolve(QUICK, missing_seconds=(0.2, 60.0), relist_seconds=(60.0, 60.0))
    with watching(api, timing=timing) as watch:
        watch.want([B])
        wait_until(lambda: watch.synced)
        before = time.monotonic()
        wait_until(lambda: time.monotonic() > before + 1.0)
        assert 2 <= api.count("get") <= 4


def test_changes_arrive_singly_too_and_what_is_gone_goes(api: FakeApi) -> None:
    api.forbid("list")
    changes = Changes()
    with watching(api, changes=changes) as watch:
        watch.want([A])
        wait_until(lambda: names(watch) == {"a-1"})
        api.relabel("shop", "a-1", application="new")
        wait_until(lambda: [pod.labels["application"] for pod in watch.pods()] == ["new"])
        api.delete("shop", "a-1")
        wait_until(lambda: not names(watch))
        assert changes.count >= 3


def test_a_refresh_hurries_the_questions(api: FakeApi) -> None:
    api.forbid("list")
    timing = attrs.evolve(QUICK, missing_seconds=(60.0, 60.0), relist_seconds=(60.0, 60.0))
    with watching(api, timing=timing) as watch:
        watch.want([B])
        wait_until(lambda: watch.synced)
        api.add(pod_object("b-1", namespace="shop"))
        watch.refresh()
        wait_until(lambda: names(watch) == {"b-1"})


def test_what_is_wanted_no_more_is_forgotten(api: FakeApi) -> None:
    api.forbid("list")
    with watching(api) as watch:
        watch.want([A])
        wait_until(lambda: names(watch) == {"a-1"})
        watch.want([])
        wait_until(lambda: not names(watch))


def test_a_right_that_is_granted_is_used(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="kube_log_watcher_core")
    api.forbid("list", "watch")
    with watching(api) as watch:
        watch.want([A])
        wait_until(lambda: watch.synced)
        error = watch.status().error
        assert error is not None
        assert "may not list pods" in error
        api.allow("list", "watch")
        wait_until(lambda: api.open_watches == 1)
        wait_until(lambda: watch.status().error is None)
        api.add(pod_object("shop-9"))
        wait_until(lambda: "shop-9" in names(watch))
    assert "may list and watch pods now" in caplog.text


def test_without_the_right_to_watch_lists_and_questions_take_turns(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.forbid("watch")
    with watching(api) as watch:
        watch.want([A])
        wait_until(lambda: watch.synced)
        wait_until(lambda: watch.status().relists >= 2)
        assert names(watch) == {"a-1"}
        wait_until(lambda: "may not watch pods at cluster scope" in caplog.text)


def test_a_right_that_is_taken_away_takes_no_pod_away(api: FakeApi) -> None:
    with watching(api) as watch:
        watch.want([A])
        wait_until(lambda: api.open_watches == 1)
        api.forbid("list", "watch")
        api.cut_watches()
        wait_until(lambda: api.count("get") > 0)
        assert names(watch) == {"a-1"}


@pytest.mark.parametrize(
    "fault", [Refuse(500), Refuse(403), Body(b"odd"), Body(b"{}"), Body(b'{"kind":"Pod"}')]
)
def test_a_question_that_fails_is_put_again_and_takes_no_pod_away(api: FakeApi, fault: Refuse | Body) -> None:
    api.forbid("list")
    with watching(api) as watch:
        watch.want([A])
        wait_until(lambda: names(watch) == {"a-1"})
        asked = api.count("get")
        api.fail(fault, verb="get", times=2)
        wait_until(lambda: api.count("get") >= asked + 3)
        assert names(watch) == {"a-1"}


def test_a_pod_that_may_not_be_seen_does_not_hide_the_others(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.forbid("list")
    api.fail(Refuse(403), verb="get", times=1)
    with watching(api) as watch:
        watch.want([("shop", "0-first"), A])
        wait_until(lambda: names(watch) == {"a-1"})
        assert [each.path.rpartition("/")[2] for each in api.requests if each.verb == "get"][:2] == [
            "0-first",
            "a-1",
        ]
        api.forbid("get")
        wait_until(lambda: "may not get pods" in caplog.text)
        error = watch.status().error
        assert error is not None
        api.allow("get")
        wait_until(lambda: watch.status().error == "may not list pods at cluster scope")
        assert names(watch) == {"a-1"}
    assert caplog.text.count("may not get pods") == 1


def test_an_odd_name_is_never_asked_for(api: FakeApi) -> None:
    api.forbid("list")
    with watching(api) as watch:
        watch.want([("..", "secrets"), ("shop", "../../x")])
        wait_until(lambda: watch.synced)
        assert api.count("get") == api.count("other") == 0


# ---------------------------------------------------------------------- no node name


def test_a_pod_on_disk_tells_the_node_s_name(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="kube_log_watcher_core")
    api.add(pod_object("here-2"))
    api.add(pod_object("far-1", node="node-2"))
    with watching(api, node_name=None) as watch:
        wait_until(lambda: watch.status().state == "locating")
        assert api.requests == []
        watch.want([B, A])
        wait_until(lambda: api.open_watches == 1)
        assert names(watch) == {"a-1", "here-2"}
        assert watch.status().node_name == "node-1"
        assert api.count("get") == 2
    assert "run on node-1" in caplog.text


def test_a_pod_that_moved_does_not_lead_astray(api: FakeApi) -> None:
    for name, node in (("db-0", "node-2"), ("db-1", "node-1")):
        api.add(pod_object(name, namespace="shop", node=node))
    with watching(api, node_name="") as watch:
        watch.want([("shop", "db-0"), A, ("shop", "db-1")])
        wait_until(lambda: watch.status().node_name == "node-1")


def test_no_more_pods_are_asked_than_needed(api: FakeApi) -> None:
    every = [("shop", f"p-{number}") for number in range(50)]
    for namespace, name in every:
        api.add(pod_object(name, namespace=namespace))
    with watching(api, node_name=None) as watch:
        watch.want(every)
        wait_until(lambda: api.open_watches == 1)
        assert api.count("get") == 3


def test_pods_that_are_all_gone_make_a_synced_empty_node(api: FakeApi) -> None:
    with watching(api, node_name=None) as watch:
        watch.want([B])
        wait_until(lambda: watch.synced)
        assert not names(watch)
        watch.want([A, B])
        wait_until(lambda: names(watch) == {"a-1"})


@pytest.mark.parametrize("fault", [Refuse(500), Refuse(403), Refuse(401)])
def test_a_node_name_is_asked_for_until_it_is_known(api: FakeApi, fault: Refuse) -> None:
    api.fail(fault, verb="get", times=3)
    with watching(api, node_name=None) as watch:
        watch.want([A])
        wait_until(lambda: names(watch) == {"a-1"})
