"""Asking for pods singly."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import attrs
import pytest

from kube_log_watcher_core.kube import Timing
from kube_log_watcher_testing.fake_api import Body, FakeApi, Refuse, pod_object
from kube_support import QUICK, Changes, SkippingClock, names, watching
from support import soon, wait_until

A, B = ("shop", "a-1"), ("shop", "b-1")


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as running:
        running.add(pod_object("a-1", namespace="shop", labels={"application": "a"}))
        yield running


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
    assert "it needs list and watch" in errors[0]


def test_a_pod_of_that_name_on_another_node_is_none_of_this_one(api: FakeApi) -> None:
    api.forbid("list", "watch")
    api.add(pod_object("b-1", namespace="shop", node="node-2"))
    with watching(api) as watch:
        watch.want([A, B])
        wait_until(lambda: watch.synced)
        assert names(watch) == {"a-1"}


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
        with soon("asking"):
            watch.want([A])
            wait_until(lambda: names(watch) == {"a-1"})


def test_a_pod_that_is_missing_is_not_asked_for_in_a_loop(api: FakeApi) -> None:
    api.forbid("list")
    clock = SkippingClock()
    with watching(api, timing=Timing(), on_disk=[B], clock=clock) as watch:
        wait_until(lambda: watch.synced)
        wait_until(lambda: clock.skipped > 600.0)
        passed, asked = clock.skipped, api.count("get")
        # After 1.5, 3, 6 ... s, and from then on every minute.
        assert 6 + 500 / 60 <= asked <= 8 + passed / 60


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
        watch.ask_for_list()
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
    with watching(api, on_disk=[A], clock=SkippingClock()) as watch:
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
