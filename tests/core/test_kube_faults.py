"""The pod watch on an API server that is not well."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core.kube import ApiAccess, Timing
from kube_log_watcher_core.kube.decode import MOST_CHARACTERS
from kube_log_watcher_testing.fake_api import (
    Body,
    Drip,
    Drop,
    Empty,
    Endless,
    Expired,
    FakeApi,
    Fault,
    HalfLine,
    Refuse,
    ShortWatch,
    Silent,
    Slow,
    Truncated,
    pod_object,
)
from kube_log_watcher_testing.fake_api.objects import JsonObject
from kube_support import QUICK, Changes, SkippingClock, names, synced, watching
from support import wait_until

TIMING = Timing()
"""As in production, for a clock that skips the waits."""


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as running:
        running.add(pod_object("shop-1"))
        yield running


AT_LEAST = (0.8 + 1.6 + 3.2 + 6.4 + 12.8 + 25.6 + 30 + 30) / 2
"""The waits after nine ends: none after the first, and of each up to a half is left to chance."""

FAULTS_OF_A_LIST: list[Fault] = [
    Refuse(500),
    Refuse(503),
    Refuse(504),
    Refuse(429),
    Refuse(404),
    Refuse(422),
    Drop(),
    Body(b"<html>Welcome</html>"),
    Body(b""),
    Body(b'{"kind":"Status"}'),
    Body(b'{"kind":"PodList","items":[]}'),
    Truncated(),
]


@pytest.mark.parametrize("fault", FAULTS_OF_A_LIST, ids=repr)
def test_a_list_is_tried_until_it_comes(api: FakeApi, fault: Fault) -> None:
    api.fail(fault, verb="list", times=3)
    with watching(api) as watch:
        wait_until(lambda: names(watch) == {"shop-1"})
        assert api.count("list") == 4


@pytest.mark.parametrize("fault", FAULTS_OF_A_LIST, ids=repr)
def test_nothing_is_taken_away_by_a_list_that_fails(api: FakeApi, fault: Fault) -> None:
    changes = Changes()
    with synced(api, changes=changes) as watch:
        before = watch.pods()
        api.fail(fault, verb="list", times=2)
        watch.ask_for_list()
        wait_until(lambda: watch.status().relists == 1)
        assert watch.pods() is before
        assert changes.count == 1


def test_a_faulty_server_is_asked_less_and_less(api: FakeApi) -> None:
    api.fail(Refuse(500), verb="list", times=7)
    clock = SkippingClock()
    with watching(api, timing=attrs.evolve(TIMING, unsynced_limit_seconds=30.0), clock=clock) as watch:
        wait_until(lambda: watch.synced)
        longest = 0.8 + 1.6 + 3.2 + 6.4 + 12.8 + 25.6 + 30
        assert longest / 2 <= clock.skipped <= longest


def test_what_fails_is_told_while_it_fails(api: FakeApi) -> None:
    api.fail(Refuse(500), times=None)
    with watching(api) as watch:
        wait_until(lambda: watch.status().state == "backing off")
        assert watch.status().error == "list pods: 500 told to fail"


def test_the_first_list_is_awaited_with_less_patience(api: FakeApi) -> None:
    api.fail(Refuse(500), times=20)
    clock = SkippingClock()
    with watching(api, timing=TIMING, clock=clock) as watch:
        wait_until(lambda: watch.synced)
        assert clock.skipped <= 20 * TIMING.unsynced_limit_seconds


@pytest.mark.parametrize("refuse", [Refuse(429, retry_after=20), Refuse(503, retry_after=20)])
def test_the_time_that_a_server_asks_for_is_kept(api: FakeApi, refuse: Refuse) -> None:
    api.fail(refuse, verb="list")
    clock = SkippingClock()
    with watching(api, timing=TIMING, clock=clock) as watch:
        wait_until(lambda: watch.synced)
        assert 20.0 <= clock.skipped <= 25.0


def test_a_body_without_end_takes_neither_memory_nor_time_without_bound(api: FakeApi) -> None:
    api.fail(Endless(), verb="list")
    api.fail(Endless(pause_seconds=0.02), verb="list")
    timing = attrs.evolve(QUICK, list_seconds=0.3)
    with watching(api, timing=timing) as watch:
        wait_until(lambda: watch.synced)
        assert api.count("list") == 3


@pytest.mark.parametrize("in_head", [True, False])
@pytest.mark.parametrize("verb", ["list", "watch", "get"])
def test_an_answer_that_drips_byte_by_byte_is_given_up(api: FakeApi, verb: str, *, in_head: bool) -> None:
    """Each byte comes in time; no answer ever does."""
    if verb == "get":
        api.forbid("list")
    api.fail(Drip(in_head=in_head, pause_seconds=0.02), verb=verb)
    timing = attrs.evolve(QUICK, list_seconds=0.3, silence_seconds=0.3)
    with watching(api, timing=timing, on_disk=[("default", "shop-1")]) as watch:
        wait_until(lambda: watch.synced)
        wait_until(lambda: watch.status().requests.get((verb, "200")), what="a good answer")
        api.relabel("default", "shop-1", application="new")
        wait_until(lambda: [pod.labels.get("application") for pod in watch.pods()] == ["new"])
        assert api.count(verb) >= 2


# ---------------------------------------------------------------------- pods that are too large


def huge_pod(name: str = "huge-1") -> JsonObject:
    """Make a pod with more annotations than any API server takes."""
    return pod_object(name, uid=f"uid-{name}", annotations={"note": "x" * (MOST_CHARACTERS + 1)})


def test_pods_of_any_length_together_make_no_list_that_is_refused(api: FakeApi) -> None:
    """Eight pods of 8.4 MB each are 67 MB: as large as etcd takes them, in the longest way to write them."""
    heavy = pod_object("heavy")
    heavy["spec"]["containers"][0]["args"] = ["\x01" * 1_400_000]
    for number in range(8):
        heavy["metadata"] |= {"name": f"heavy-{number}", "uid": f"uid-{number}"}
        api.add(heavy)
    with watching(api, timing=attrs.evolve(QUICK, list_seconds=60.0, answer_seconds=30.0)) as watch:
        wait_until(lambda: watch.synced, timeout=60.0)
        assert names(watch) == {"shop-1", *(f"heavy-{number}" for number in range(8))}
        assert api.count("list") == 1


def test_a_pod_that_is_too_large_is_told_once_and_harms_no_other(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.add(huge_pod())
    with synced(api) as watch:
        assert names(watch) == {"shop-1"}
        assert watch.pods().unreadable(None, "default", "huge-1") is not None
        watch.ask_for_list()
        wait_until(lambda: api.count("list") == 2 and api.open_watches == 1)
        api.add(huge_pod("huge-2"))
        api.relabel("default", "shop-1", application="new")
        wait_until(lambda: [pod.labels.get("application") for pod in watch.pods()] == ["new"])
        assert watch.pods().unreadable("uid-huge-2", "", "") is not None
        assert api.count("list") == 2
    assert [caplog.text.count(f"Pod default/{name} can't be read") for name in ("huge-1", "huge-2")] == [1, 1]


def test_a_pod_that_grows_too_large_is_known_as_it_was_and_its_stream_goes_on(api: FakeApi) -> None:
    with synced(api) as watch:
        before = watch.pods().by_name("default", "shop-1")
        grown = api.get("default", "shop-1")
        grown["metadata"]["annotations"] = huge_pod()["metadata"]["annotations"]
        for _ in range(3):
            api.update(grown)
        wait_until(lambda: watch.pods().unreadable(None, "default", "shop-1"))
        assert watch.pods().by_name("default", "shop-1") is before
        watch.ask_for_list()
        wait_until(lambda: api.count("list") == 2 and api.open_watches == 1)
        assert watch.pods().by_name("default", "shop-1") is before
        grown["metadata"]["annotations"] = {"note": "short again"}
        api.update(grown)
        wait_until(lambda: watch.pods().unreadable(None, "default", "shop-1") is None)
        assert [pod.annotations["note"] for pod in watch.pods()] == ["short again"]
        api.delete("default", "shop-1")
        wait_until(lambda: names(watch) == set())
        assert (api.count("list"), api.count("watch")) == (2, 2)


def test_a_pod_that_is_too_large_and_goes_is_gone(api: FakeApi) -> None:
    with synced(api) as watch:
        api.add(huge_pod())
        wait_until(lambda: watch.pods().unreadable(None, "default", "huge-1"))
        api.delete("default", "huge-1")
        wait_until(lambda: watch.pods().unreadable(None, "default", "huge-1") is None)
        assert (api.count("list"), api.count("watch")) == (1, 1)


def test_a_pod_that_is_too_large_is_answered_for_when_pods_are_asked_for_singly(api: FakeApi) -> None:
    api.add(huge_pod())
    api.forbid("list")
    with watching(api, on_disk=[("default", "huge-1"), ("default", "shop-1")]) as watch:
        wait_until(lambda: names(watch) == {"shop-1"})
        wait_until(lambda: watch.synced)
        assert watch.pods().unreadable(None, "default", "huge-1") is not None


# ---------------------------------------------------------------------- pages


def test_all_pages_of_a_list_are_asked_for(api: FakeApi) -> None:
    for number in range(2, 8):
        api.add(pod_object(f"shop-{number}"))
    api.page_items = 3
    with synced(api) as watch:
        assert names(watch) == {f"shop-{number}" for number in range(1, 8)}
        pages = [request.path.partition("?")[2] for request in api.requests if request.verb == "list"]
    node = "fieldSelector=spec.nodeName%3Dnode-1"
    assert pages == [f"{node}&resourceVersion=0", f"{node}&continue=3", f"{node}&continue=6"]


@pytest.mark.parametrize(
    ("fault", "again"), [(Expired(), ""), (Refuse(500), "&resourceVersion=0"), (Drop(), "&resourceVersion=0")]
)
def test_a_page_that_can_not_be_had_is_no_end_of_the_list(api: FakeApi, fault: Fault, again: str) -> None:
    for number in range(2, 5):
        api.add(pod_object(f"shop-{number}"))
    api.page_items = 3
    api.fail(fault, verb="continue")
    with synced(api) as watch:
        assert names(watch) == {f"shop-{number}" for number in range(1, 5)}
        lists = [request.path for request in api.requests if request.verb == "list"]
    assert len(lists) == 4
    assert lists[2].endswith(f"fieldSelector=spec.nodeName%3Dnode-1{again}")


def test_a_list_whose_pages_have_no_end_is_refused(api: FakeApi) -> None:
    page = b'{"kind":"PodList","metadata":{"resourceVersion":"7","continue":"on"},"items":[%s]}'
    items = b",".join([b"{}"] * 4000)
    api.fail(Body(page % items), verb="list")
    api.fail(Body(page % items), verb="continue", times=2)
    with watching(api) as watch:
        wait_until(lambda: watch.synced)
        assert names(watch) == {"shop-1"}
        assert api.count("list") == 4


# ---------------------------------------------------------------------- empty lists

ON_DISK = [("default", "shop-1")]


def test_an_empty_list_of_a_node_with_pods_on_its_disk_is_asked_for_again(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.fail(Empty(), verb="list", times=3)
    with synced(api, on_disk=ON_DISK) as watch:
        assert names(watch) == {"shop-1"}
        assert watch.status().relists == 0
        lists = [request.path for request in api.requests if request.verb == "list"]
    assert [path.endswith("&resourceVersion=0") for path in lists] == [True, False, False, False]
    assert caplog.text.count("asked again before that is believed") == 1


def test_an_empty_list_is_believed_in_the_end(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    api.fail(Empty(), verb="list", times=None)
    with watching(api, on_disk=ON_DISK) as watch:
        wait_until(lambda: "shows no pod" in (watch.status().error or ""))
        assert not watch.synced
        wait_until(lambda: watch.synced)
        assert api.count("list") == 1 + len(QUICK.empty_seconds)
        wait_until(lambda: watch.status().error is None)
    assert caplog.text.count("which is believed now") == 1


def test_an_empty_list_waits_until_somebody_has_looked_at_the_disk(api: FakeApi) -> None:
    api.delete("default", "shop-1")
    with watching(api) as watch:
        wait_until(lambda: api.count("list", 200) == 1)
        assert not watch.synced
        watch.want(())
        wait_until(lambda: watch.synced)
        assert api.count("list") == 1


def test_an_empty_list_is_believed_at_once_when_the_disk_is_empty_or_all_is_known(api: FakeApi) -> None:
    with synced(api, on_disk=ON_DISK) as watch:
        api.delete("default", "shop-1")
        wait_until(lambda: names(watch) == set())
        watch.ask_for_list()
        wait_until(lambda: api.count("list") == 2 and api.open_watches == 1)
    with synced(api, on_disk=()):
        assert api.count("list") == 3


def test_a_slow_server_is_waited_for(api: FakeApi) -> None:
    api.fail(Slow(0.3), times=2)
    with watching(api) as watch:
        # The server counts a watch as open before its answer has arrived here.
        wait_until(lambda: ("watch", "200") in watch.status().requests)
        assert watch.status().requests == {("list", "200"): 1, ("watch", "200"): 1}


# ---------------------------------------------------------------------- streams


def test_a_watch_that_ends_is_resumed_where_it_was(api: FakeApi) -> None:
    with synced(api) as watch:
        api.add(pod_object("shop-2"))
        wait_until(lambda: len(watch.pods()) == 2)
        api.end_watches()
        wait_until(lambda: api.count("watch") == 2)
        assert api.requests[-1].path.endswith("resourceVersion=1002")
        api.add(pod_object("shop-3"))
        wait_until(lambda: len(watch.pods()) == 3)
        assert api.count("list") == 1


@pytest.mark.parametrize("in_line", [False, True])
def test_a_watch_that_breaks_off_is_resumed_where_it_was(api: FakeApi, in_line: bool) -> None:
    with synced(api) as watch:
        api.cut_watches(in_line=in_line)
        api.add(pod_object("shop-2"))
        wait_until(lambda: len(watch.pods()) == 2)
        assert api.count("list") == 1


@pytest.mark.parametrize("fault", [ShortWatch(), HalfLine()])
def test_watches_that_end_at_once_are_not_opened_in_a_loop(api: FakeApi, fault: Fault) -> None:
    api.fail(fault, verb="watch", times=9)
    clock = SkippingClock()
    with watching(api, timing=TIMING, clock=clock) as watch:
        wait_until(lambda: api.count("watch") == 10)
        assert clock.skipped >= AT_LEAST
        assert api.count("list") == 1
        api.add(pod_object("shop-2"))
        wait_until(lambda: len(watch.pods()) == 2)


def test_what_a_short_watch_brought_is_kept(api: FakeApi) -> None:
    with synced(api) as watch:
        api.fail(HalfLine(), verb="watch", times=3)
        api.cut_watches()
        api.add(pod_object("shop-2"))
        api.add(pod_object("shop-3"))
        wait_until(lambda: len(watch.pods()) == 3)
        assert api.count("list") == 1


@pytest.mark.parametrize("as_status", [False, True])
def test_an_expired_version_is_followed_by_a_list_of_the_newest(
    api: FakeApi,
    as_status: bool,
) -> None:
    with synced(api) as watch:
        api.fail(Expired(as_status=as_status), verb="watch")
        api.add(pod_object("shop-2"))
        api.cut_watches()
        wait_until(lambda: api.count("watch") == 3)
        lists = [request.path for request in api.requests if request.verb == "list"]
        assert lists[1:] == ["/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1"]
        assert len(watch.pods()) == 2


def test_a_history_that_was_compacted_hides_nothing(api: FakeApi) -> None:
    with synced(api) as watch:
        api.stop()
        api.add(pod_object("shop-2"))
        api.delete("default", "shop-1")
        api.compact()
        api.start()
        wait_until(lambda: names(watch) == {"shop-2"})
        assert watch.status().relists == 1


def test_versions_that_expire_again_and_again_are_no_loop(api: FakeApi) -> None:
    api.fail(Expired(), verb="watch", times=9)
    clock = SkippingClock()
    with watching(api, timing=TIMING, clock=clock):
        wait_until(lambda: api.count("watch") == 10)
        assert api.count("list") == 10
        assert clock.skipped >= AT_LEAST


def test_a_list_that_is_told_that_its_version_expired_asks_for_the_newest(api: FakeApi) -> None:
    with synced(api) as watch:
        api.fail(Expired(), verb="list")
        watch.ask_for_list()
        wait_until(lambda: watch.status().relists == 1)
        assert "resourceVersion" not in [each.path for each in api.requests if each.verb == "list"][-1]


def test_a_silent_stream_is_given_up_and_resumed_without_a_list(api: FakeApi) -> None:
    api.fail(Silent(), verb="watch")
    with synced(api, timing=attrs.evolve(QUICK, silence_seconds=0.3)) as watch:
        api.add(pod_object("shop-2"))
        wait_until(lambda: len(watch.pods()) == 2)
        assert api.count("list") == 1


def test_a_version_from_the_future_is_found_out_by_the_second_silence(api: FakeApi) -> None:
    """A restored etcd: the watch is 200 and silent for ever, the list is 504 ResourceVersionTooLarge."""
    with synced(api, timing=attrs.evolve(QUICK, silence_seconds=0.2)) as watch:
        api.stop()
        api.go_back()
        api.start()
        api.delete("default", "shop-1")
        wait_until(lambda: len(watch.pods()) == 0)
        assert api.count("list", 504) == 1


def test_bookmarks_keep_a_quiet_stream_alive() -> None:
    timing = attrs.evolve(QUICK, silence_seconds=0.3)
    with FakeApi(bookmark_seconds=0.1) as api, synced(api, timing=timing, on_disk=()):
        before = time.monotonic()
        wait_until(lambda: time.monotonic() > before + 0.8)
        assert api.count("watch") == 1


@pytest.mark.parametrize("fault", [Refuse(429), Refuse(503), Refuse(504), Drop()], ids=repr)
def test_a_watch_that_is_refused_for_load_is_resumed_without_a_list(api: FakeApi, fault: Fault) -> None:
    with synced(api) as watch:
        api.fail(fault, verb="watch", times=6)
        api.cut_watches()
        api.add(pod_object("shop-2"))
        wait_until(lambda: len(watch.pods()) == 2)
        assert api.count("list") == 1


@pytest.mark.parametrize("fault", [Refuse(500), Body(b"<html>Welcome</html>\n"), Body(b"{}\n")], ids=repr)
def test_a_watch_that_never_brings_anything_asks_for_a_list_now_and_then(
    api: FakeApi, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="kube_log_watcher_core")
    with synced(api, timing=attrs.evolve(QUICK, backoff_limit_seconds=0.1)) as watch:
        api.fail(fault, verb="watch", times=None)
        api.cut_watches()
        wait_until(lambda: api.count("watch") == 2)
        api.add(pod_object("shop-2"))
        wait_until(lambda: len(watch.pods()) == 2)
        before = time.monotonic()
        wait_until(lambda: api.count("watch") >= 12)
        assert time.monotonic() - before >= 0.2
        assert watch.status().error is not None
    assert caplog.text.count("can't be used for now") == 1
    assert caplog.text.count("can be used again") == 0


def test_an_outage_is_survived(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="kube_log_watcher_core")
    with synced(api) as watch:
        before = watch.pods()
        api.stop()
        wait_until(lambda: watch.status().requests.get(("watch", "none"), 0) > 3)
        assert watch.pods() is before
        error = watch.status().error
        assert error is not None
        assert "Connection refused" in error
        api.add(pod_object("shop-2"))
        api.start()
        wait_until(lambda: len(watch.pods()) == 2)
        assert watch.status().error is None
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2, "once when it begins and once when it ends"
    assert "can't be used for now" in messages[0]
    assert "can be used again" in messages[1]


# ---------------------------------------------------------------------- token


def test_a_token_that_is_replaced_while_it_is_refused_is_noticed_soon(api: FakeApi, tmp_path: Path) -> None:
    folder = api.service_account(tmp_path / "sa", token="expired")
    api.accept("fresh")
    timing = attrs.evolve(QUICK, backoff_seconds=60.0, unsynced_limit_seconds=60.0)
    with watching(ApiAccess(api.url, token_file=folder / "token"), timing=timing) as watch:
        wait_until(lambda: watch.status().state == "backing off")
        (folder / "token").write_text("fresh")
        wait_until(lambda: watch.synced)
        assert api.count("list") == 2


def test_a_token_that_is_missing_at_first_is_noticed_soon(api: FakeApi, tmp_path: Path) -> None:
    timing = attrs.evolve(QUICK, backoff_seconds=60.0, unsynced_limit_seconds=60.0)
    with watching(ApiAccess(api.url, token_file=tmp_path / "token"), timing=timing) as watch:
        wait_until(lambda: watch.status().state == "backing off")
        (tmp_path / "token").write_text("fresh")
        wait_until(lambda: watch.synced)


def test_a_token_that_is_refused_for_long_is_no_loop(api: FakeApi, tmp_path: Path) -> None:
    folder = api.service_account(tmp_path / "sa", token="wrong")
    api.fail(Refuse(401), verb="list", times=10)
    access, clock = ApiAccess(api.url, token_file=folder / "token"), SkippingClock()
    with watching(access, timing=TIMING, clock=clock) as watch:
        wait_until(lambda: watch.synced)
        assert api.count("list") == 11
        assert clock.skipped >= 9 * TIMING.unsynced_limit_seconds / 2 - 10
