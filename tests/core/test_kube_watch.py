"""The pod watch on an API server that is well."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core.kube import ApiAccess
from kube_log_watcher_core.kube.watch import PodWatch
from kube_log_watcher_testing.fake_api import (
    ContainerStatus,
    FakeApi,
    Silent,
    Slow,
    Unchunked,
    container_id,
    make_certificate,
    openssl_missing,
    pod_object,
)
from kube_support import QUICK, Changes, names, synced, watching
from support import SOON_SECONDS, soon, wait_until


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as running:
        running.add(pod_object("shop-1", namespace="shop", labels={"application": "shop"}))
        running.add(pod_object("far-1", node="node-2"))
        yield running


def test_one_list_and_one_watch_are_all_it_takes(api: FakeApi) -> None:
    with synced(api) as watch:
        api.add(pod_object("shop-2"))
        wait_until(lambda: names(watch) == {"shop-1", "shop-2"})
        api.delete("default", "shop-2")
        wait_until(lambda: names(watch) == {"shop-1"})
        listing, following = [request.path for request in api.requests]
    assert listing == "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&resourceVersion=0"
    assert following.startswith("/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&watch=true")
    assert "&allowWatchBookmarks=true&" in following
    assert following.endswith("&resourceVersion=1002")


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 300), (0.5, 450), (1.0, 600)])
def test_a_watch_ends_after_five_to_ten_minutes_by_chance(api: FakeApi, chance: float, seconds: int) -> None:
    watch = PodWatch(ApiAccess(api.url), node_name="node-1", on_change=Changes(), random=lambda: chance)
    watch.start()
    wait_until(lambda: api.open_watches == 1)
    watch.stop()
    assert watch.join(30)
    assert f"timeoutSeconds={seconds}&" in api.requests[-1].path


def test_nothing_is_known_before_the_first_list(api: FakeApi) -> None:
    api.fail(Slow(0.2), verb="list")
    changes = Changes()
    with watching(api, changes=changes) as watch:
        assert not watch.synced
        assert len(watch.pods()) == 0
        assert changes.count == 0
        wait_until(lambda: watch.synced)
        wait_until(lambda: changes.count == 1)


def test_a_node_without_pods_is_synced_too() -> None:
    changes = Changes()
    with FakeApi() as api, synced(api, changes=changes, on_disk=()) as watch:
        assert len(watch.pods()) == 0
        assert changes.count == 1


def test_a_changed_label_arrives_in_moments(api: FakeApi) -> None:
    with synced(api) as watch, soon("a change"):
        api.relabel("shop", "shop-1", application="new")
        wait_until(lambda: [pod.labels["application"] for pod in watch.pods()] == ["new"])


def test_changes_are_told_from_the_watch_s_thread_and_only_when_they_matter(api: FakeApi) -> None:
    changes = Changes()
    with synced(api, changes=changes) as watch:
        assert changes.count == 1
        before = watch.pods()
        pod = api.get("shop", "shop-1")
        pod["status"]["conditions"][0]["status"] = "False"  # nobody here cares
        version = api.update(pod)["metadata"]["resourceVersion"]
        wait_until(lambda: watch.status().resource_version == version)
        assert changes.count == 1
        assert watch.pods() is before
        api.relabel("shop", "shop-1", application="new")
        wait_until(lambda: changes.count == 2)
    assert changes.threads == {"pod-watch"}


def test_a_pod_that_is_made_again_has_its_new_uid(api: FakeApi) -> None:
    with synced(api) as watch:
        api.delete("shop", "shop-1")
        again = api.add(pod_object("shop-1", namespace="shop", labels={"application": "again"}))
        wait_until(lambda: watch.pods().by_uid(again["metadata"]["uid"]))
        assert len(watch.pods()) == 1


def test_a_restarted_container_shows_both_runs(api: FakeApi) -> None:
    old, new = container_id("old"), container_id("new")
    with synced(api) as watch:
        restarted = ContainerStatus(id=new, restart_count=1, previous_id=old)
        api.update(pod_object("shop-1", namespace="shop", uid="u-1", containers=[restarted]))
        wait_until(lambda: watch.pods().by_uid("u-1"))
        (pod,) = watch.pods()
        assert [(each.id, each.restart_count) for each in pod.containers] == [(new, 1), (old, 0)]


def test_a_bookmark_moves_only_the_version(api: FakeApi) -> None:
    with synced(api) as watch:
        before, pods = watch.status(), watch.pods()
        api.add(pod_object("far-2", node="node-2"))
        api.bookmark()
        wait_until(lambda: watch.status().resource_version == "1003")
        assert watch.pods() is pods
        after = watch.status()
        assert after.last_byte is not None
        assert before.last_byte is not None
        assert after.last_byte > before.last_byte


def test_an_unknown_kind_of_event_is_passed_over(api: FakeApi) -> None:
    with synced(api) as watch:
        broken = pod_object("odd-1")
        broken["metadata"]["uid"] = ""
        api.add(broken)
        api.add(pod_object("shop-2"))
        wait_until(lambda: names(watch) == {"shop-1", "shop-2"})
        assert api.count("watch") == 1


def test_one_item_of_a_list_that_is_no_pod_harms_no_other(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    broken = pod_object("odd-1")
    broken["metadata"]["uid"] = None
    api.add(broken)
    with synced(api) as watch:
        assert names(watch) == {"shop-1"}
    assert "Pod default/odd-1 can't be read" in caplog.text


def test_a_stream_without_chunks_is_followed_as_well(api: FakeApi) -> None:
    api.fail(Unchunked(), verb="watch", times=None)
    with synced(api) as watch:
        api.add(pod_object("shop-2"))
        wait_until(lambda: "shop-2" in names(watch))
        assert api.count("watch") == 1


def test_a_thousand_pods_come_compressed(api: FakeApi) -> None:
    for number in range(1000):
        api.add(pod_object(f"p-{number}", uid=f"u-{number}"))
    with synced(api, timing=attrs.evolve(QUICK, list_seconds=5.0)) as watch:
        assert len(watch.pods()) == 1001


@pytest.mark.skipif(openssl_missing(), reason="the openssl command is not installed")
def test_with_a_service_account_over_tls(tmp_path: Path) -> None:
    with FakeApi(certificate=make_certificate(tmp_path / "tls")) as api:
        api.add(pod_object("shop-1"))
        folder = api.service_account(tmp_path / "sa")
        access = ApiAccess(api.url, token_file=folder / "token", ca_file=folder / "ca.crt")
        with watching(access) as watch:
            wait_until(lambda: names(watch) == {"shop-1"})
            wait_until(lambda: api.open_watches == 1)
            watch.stop()
            assert watch.join(SOON_SECONDS)


# ---------------------------------------------------------------------- stopping


def test_stopping_frees_the_reader_of_a_silent_stream(api: FakeApi) -> None:
    api.fail(Silent(), verb="watch")
    with synced(api) as watch:
        with soon("stopping"):
            watch.stop()
        assert watch.join(SOON_SECONDS)
        assert watch.status().state == "stopped"
    wait_until(lambda: api.open_watches == 0)


def test_stopping_frees_one_that_backs_off(api: FakeApi) -> None:
    api.stop()
    with watching(
        api, timing=attrs.evolve(QUICK, backoff_seconds=60.0, unsynced_limit_seconds=60.0)
    ) as watch:
        wait_until(lambda: watch.status().state == "backing off")
        watch.stop()
        assert watch.join(SOON_SECONDS)


def test_a_watch_may_be_stopped_before_it_began_and_twice(api: FakeApi) -> None:
    watch = PodWatch(ApiAccess(api.url), node_name="node-1", on_change=Changes())
    watch.stop()
    watch.stop()
    watch.start()
    assert watch.join(30)
    assert api.requests == []


# ---------------------------------------------------------------------- refresh


def test_a_refresh_ends_the_stream_lists_and_watches_again(api: FakeApi) -> None:
    with synced(api) as watch:
        watch.ask_for_list()
        wait_until(lambda: api.count("watch") == 2)
        verbs = [request.verb for request in api.requests]
        assert verbs == ["list", "watch", "list", "watch"]
        assert api.requests[2].path.endswith("&resourceVersion=1002")
        assert watch.status().relists == 1


def test_a_refresh_shows_what_a_silent_stream_hides(api: FakeApi) -> None:
    api.fail(Silent(), verb="watch", times=None)
    with synced(api) as watch:
        api.add(pod_object("shop-2"))
        watch.ask_for_list()
        wait_until(lambda: "shop-2" in names(watch))


def _has_listed_again(api: FakeApi, watch: PodWatch, times: int) -> bool:
    return watch.status().relists == times and api.count("watch") == times + 1


def test_a_second_fruitless_refresh_asks_for_the_newest_state(api: FakeApi) -> None:
    """A list from a stale server's memory could never show what is missed."""
    with synced(api) as watch:
        for asked in (1, 2, 3):
            watch.ask_for_list()
            wait_until(partial(_has_listed_again, api, watch, asked))
        lists = [request.path for request in api.requests if request.verb == "list"]
    assert ["resourceVersion" in path for path in lists] == [True, True, False, True]


def test_a_refresh_changes_no_pod_object(api: FakeApi) -> None:
    changes = Changes()
    with synced(api, changes=changes) as watch:
        before = watch.pods()
        watch.ask_for_list()
        wait_until(lambda: watch.status().relists == 1)
        assert watch.pods() is before
        assert changes.count == 1


def test_a_refresh_does_not_cut_a_wait_after_failures_short(api: FakeApi) -> None:
    api.stop()
    with watching(api, timing=attrs.evolve(QUICK, backoff_seconds=0.5, unsynced_limit_seconds=0.5)) as watch:
        wait_until(lambda: watch.status().state == "backing off")
        for _ in range(100):
            watch.ask_for_list()
        wait_until(lambda: watch.status().requests.get(("list", "none"), 0) >= 2)
        assert watch.status().requests[("list", "none")] < 10


# ---------------------------------------------------------------------- status, robustness


def test_the_status_tells_how_it_stands(api: FakeApi) -> None:
    with synced(api) as watch:
        wait_until(lambda: ("watch", "200") in watch.status().requests)
        status = watch.status()
        assert status.state == "watching"
        assert status.error is None
        assert status.requests == {("list", "200"): 1, ("watch", "200"): 1}
        assert (status.resource_version, status.node_name) == ("1002", "node-1")
        assert status.since <= status.last_tick < status.tick_due
        assert status.tick_due <= time.monotonic() + QUICK.silence_seconds


def test_a_thread_that_waits_shows_that_it_lives(api: FakeApi) -> None:
    api.stop()
    with watching(
        api, timing=attrs.evolve(QUICK, backoff_seconds=60.0, unsynced_limit_seconds=60.0)
    ) as watch:
        wait_until(lambda: watch.status().state == "backing off")
        before = watch.status().last_tick
        wait_until(lambda: watch.status().last_tick > before + 0.1)


def test_an_error_of_the_listener_does_not_end_the_watch(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[int] = []

    def listener() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("a bug of somebody else")

    watch = PodWatch(ApiAccess(api.url), node_name="node-1", on_change=listener, timing=QUICK)
    watch.start()
    try:
        wait_until(lambda: api.open_watches == 1)
        api.add(pod_object("shop-2"))
        wait_until(lambda: "shop-2" in names(watch))
    finally:
        watch.stop()
        assert watch.join(30)
    assert "a bug of somebody else" in caplog.text


def test_a_watch_that_is_well_logs_nothing(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="kube_log_watcher_core")
    with synced(api) as watch:
        api.add(pod_object("shop-2"))
        wait_until(lambda: "shop-2" in names(watch))
        watch.ask_for_list()
        wait_until(lambda: watch.status().relists == 1)
    assert caplog.records == []
