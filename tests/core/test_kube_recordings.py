"""The reflector on recorded answers of a real API server (Kubernetes v1.34.9), byte for byte."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import attrs
import pytest

from kube_log_watcher_core.errors import (
    ApiError,
    Forbidden,
    Gone,
    ServerError,
    TooManyRequests,
    Unauthorized,
)
from kube_log_watcher_core.kube import ApiAccess
from kube_log_watcher_core.kube.fallback import ask_for_pod
from kube_log_watcher_core.kube.reflector import Hooks, Reflector, Report
from kube_log_watcher_core.kube.session import ApiSession
from kube_log_watcher_core.kube.store import PodStore
from kube_log_watcher_core.kube.transitions import ListAt, Outcome
from kube_log_watcher_core.models import Pod
from kube_replay import Replay
from kube_support import QUICK, SkippingClock, names, watching
from support import wait_until

WEB = "94562531-a324-4523-8898-c0434655b794"
NODE_1 = {"cart-7c9f-x2x4z", "host-net", "no-application", "no-labels", "pending-1", "unicode-label", "web-1"}


def _count_nothing(verb: str, code: str) -> None:
    """Do without the numbers."""


class Bench:
    """A reflector at a replay, and what it told."""

    def __init__(self, replay: Replay) -> None:
        self.store = PodStore()
        self.reads: Counter[str] = Counter()
        self.session = ApiSession(
            ApiAccess(replay.url), timing=QUICK, clock=time.monotonic, count=_count_nothing
        )
        hooks = Hooks(opened=lambda: None, read=self._read, interrupted=lambda: False)
        self.reflector = Reflector(
            self.session,
            self.store,
            timing=attrs.evolve(QUICK, stable_seconds=60.0),
            clock=time.monotonic,
            hooks=hooks,
        )

    def _read(self, good_lines: int, changes: int) -> None:
        self.reads["lines"] += good_lines
        self.reads["changes"] += changes

    def list(self) -> Report:
        return self.reflector.list("node-1", ListAt.KNOWN)

    def watch(self) -> Report:
        return self.reflector.watch("node-1", limit_seconds=300.0)

    def pod(self, uid: str) -> Pod:
        found = self.store.pods().by_uid(uid)
        assert found is not None
        return found

    def names(self) -> set[str]:
        return {pod.name for pod in self.store.pods()}


pieces = pytest.mark.parametrize(
    "piece_bytes", [None, 13, 1000, 65536], ids=["as-recorded", "13", "1000", "64k"]
)


@pieces
def test_a_list_gives_all_pods_of_the_node(piece_bytes: int | None) -> None:
    with Replay({"list": ["list-node-1-rv0"]}, piece_bytes=piece_bytes) as replay:
        bench = Bench(replay)
        assert bench.list() == Report(Outcome.LISTED, changed=True)
    assert replay.requests == [("list", {"fieldSelector": "spec.nodeName=node-1", "resourceVersion": "0"})]
    assert bench.reflector.version == "236"
    assert bench.names() == NODE_1
    assert {pod.node for pod in bench.store.pods()} == {"node-1"}


def test_the_pods_of_a_list_are_understood() -> None:
    with Replay({"list": ["list-node-1-rv0"]}) as replay:
        bench = Bench(replay)
        bench.list()
    web = bench.pod(WEB)
    assert dict(web.labels) == {
        "application": "web",
        "component": "frontend",
        "pod-template-hash": "6d8f7c9b5",
        "version": "v1",
    }
    assert set(web.annotations) == {
        "kubernetes-log-watcher/scalyr-parser",
        "kubernetes-log-watcher/scalyr-sampling-rules",
    }
    assert [(each.name, each.id[:6], each.image) for each in web.containers] == [
        ("init-db", "cd3a03", "registry.local/team/init-db:1.4.5"),
        ("app", "7252ac", "registry.local/team/app:1.4.5"),
        ("sidecar", "8e25dc", "registry.local/team/sidecar:1.4.5"),
    ]
    cart = bench.store.pods().by_name("shop", "cart-7c9f-x2x4z")
    assert cart is not None
    assert [(each.name, each.restart_count, each.id[:6]) for each in cart.containers] == [
        ("app", 2, "e11218"),
        ("app", 1, "f2158f"),
        ("envoy", 0, "bf4351"),
        ("metrics", 0, "9fc509"),
    ]
    bare = bench.store.pods().by_name("default", "no-labels")
    assert bare is not None
    assert len(bare.labels) == len(bare.annotations) == 0
    odd = bench.store.pods().by_name("shop", "unicode-label")
    assert odd is not None
    assert odd.annotations["note"] == "Zażółć gęślą jaźń 日本 \u2028 <&>"


def test_a_list_for_people_is_understood_as_well() -> None:
    with Replay({"list": ["list-curl-ua-pretty"]}) as replay:
        bench = Bench(replay)
        bench.list()
    assert bench.names() == NODE_1


def test_a_full_node_in_gzip_is_understood() -> None:
    with Replay({"list": ["110-list-node-gzip"]}, piece_bytes=4096) as replay:
        bench = Bench(replay)
        assert bench.list().outcome is Outcome.LISTED
    assert len(bench.store.pods()) == 110


def test_an_empty_list_is_a_list() -> None:
    with Replay({"list": ["list-node-1-rv0", "list-empty"]}) as replay:
        bench = Bench(replay)
        bench.list()
        assert bench.list() == Report(Outcome.LISTED, changed=True)
        assert bench.names() == set()


def test_a_table_is_no_list_of_pods() -> None:
    with Replay({"list": ["list-table"]}) as replay:
        report = Bench(replay).list()
    assert report.outcome is Outcome.FAILED
    assert "Table" in str(report.error)


@pieces
def test_a_watch_brings_every_step_of_a_pods_life(piece_bytes: int | None) -> None:
    with Replay({"list": ["list-node-1-rv0"], "watch": ["watch-full"]}, piece_bytes=piece_bytes) as replay:
        bench = Bench(replay)
        bench.list()
        web_before = bench.pod(WEB)
        assert bench.watch().outcome is Outcome.CUT
    assert replay.requests[1][1]["resourceVersion"] == "236"
    assert bench.reads["lines"] == 21
    assert bench.reflector.version == "264", "that of the last bookmark"
    assert bench.names() == NODE_1 | {"unscheduled"}, "new-1 came, was made again, and went"
    assert bench.pod(WEB) != web_before


def test_events_that_change_nothing_that_is_wanted_are_no_changes() -> None:
    with Replay({"watch": ["watch-full"]}) as replay:
        bench = Bench(replay)
        bench.watch()
    assert bench.reads["changes"] < 18


@pytest.mark.parametrize("name", ["watch-rv0", "watch-no-rv"])
def test_a_watch_without_a_version_begins_with_all_pods(name: str) -> None:
    with Replay({"watch": [name]}) as replay:
        bench = Bench(replay)
        assert bench.watch().outcome is Outcome.CUT
    assert bench.names() == NODE_1 | {"unscheduled"}


def test_an_expired_version_is_an_error_inside_a_good_answer() -> None:
    with Replay({"watch": ["410-c-watch-rv-before-restart-sigterm"]}) as replay:
        report = Bench(replay).watch()
    assert report.outcome is Outcome.EXPIRED
    assert type(report.error) is Gone
    assert "too old resource version: 317 (325)" in str(report.error)


def test_a_killed_server_s_stream_breaks_off_and_keeps_what_it_brought() -> None:
    with Replay({"watch": ["shutdown-watch-sigkill"]}) as replay:
        bench = Bench(replay)
        report = bench.watch()
    assert report.outcome is Outcome.CUT
    assert report.error is not None, "the last chunk is missing"
    assert bench.names() == {"web-1"}
    assert bench.reflector.version == "330"


def test_a_stopped_server_s_stream_ends_properly_after_a_bookmark() -> None:
    with Replay({"watch": ["shutdown-watch-sigterm"]}) as replay:
        bench = Bench(replay)
        report = bench.watch()
    assert (report.outcome, report.error) == (Outcome.CUT, None)
    assert bench.reflector.version == "324"


def test_a_version_from_the_future_is_an_empty_stream() -> None:
    with Replay({"watch": ["err-rv-too-large-watch"]}) as replay:
        bench = Bench(replay)
        assert bench.watch() == Report(Outcome.CUT)
        assert bench.reflector.version is None


REFUSALS = [
    ("list", "err-401-bad-token", Outcome.UNAUTHORIZED, Unauthorized, 401, None),
    ("list", "err-403-no-rbac", Outcome.FORBIDDEN, Forbidden, 403, None),
    ("list", "starting-node-2-403", Outcome.FORBIDDEN, Forbidden, 403, None),
    ("list", "429-list", Outcome.FAILED, TooManyRequests, 429, 2.0),
    ("list", "err-rv-too-large-list", Outcome.EXPIRED, Gone, 504, 1.0),
    ("list", "410-c-list-continue-after-restart-sigterm", Outcome.EXPIRED, Gone, 410, None),
    ("list", "during-shutdown-sigterm", Outcome.FAILED, ServerError, 503, 1.0),
    ("watch", "err-403-no-rbac-watch", Outcome.FORBIDDEN, Forbidden, 403, None),
    ("watch", "429-watch", Outcome.FAILED, TooManyRequests, 429, 2.0),
    ("watch", "err-500-watch-bad-rv", Outcome.FAILED, ServerError, 500, None),
]


@pytest.mark.parametrize(("verb", "name", "outcome", "kind", "status", "after"), REFUSALS)
def test_each_refusal_is_understood(
    verb: str, name: str, *, outcome: Outcome, kind: type[ApiError], status: int, after: float | None
) -> None:
    with Replay({verb: [name]}) as replay:
        bench = Bench(replay)
        step: Callable[[], Report] = bench.list if verb == "list" else bench.watch
        report = step()
    assert report.outcome is outcome
    assert type(report.error) is kind
    assert report.error is not None
    assert (report.error.status, report.error.retry_after) == (status, after)
    assert not bench.store.synced


def test_a_missing_right_is_named_as_the_server_names_it() -> None:
    with Replay({"list": ["err-403-no-rbac"]}) as replay:
        report = Bench(replay).list()
    assert 'cannot list resource "pods"' in str(report.error)


def test_a_single_pod_is_asked_for() -> None:
    with Replay({"get": ["get-pod", "err-404-pod", "err-401-bad-token"]}) as replay:
        session = Bench(replay).session
        found = ask_for_pod(session, ("default", "web-1"), timing=QUICK)
        assert isinstance(found, Pod)
        assert (found.uid, found.node) == (WEB, "node-1")
        assert ask_for_pod(session, ("default", "gone"), timing=QUICK) is None
        with pytest.raises(Unauthorized):
            ask_for_pod(session, ("default", "web-1"), timing=QUICK)


# ---------------------------------------------------------------------- the whole watch


def test_an_api_server_s_restart_is_survived() -> None:
    """As recorded: stopped, refusing at first for want of caches, its history gone."""
    answers = {
        "list": ["list-node-1-rv0", "starting-node-2-403", "list-node-1-rv0"],
        "watch": ["shutdown-watch-sigterm", "410-c-watch-rv-before-restart-sigterm"],
    }
    with Replay(answers) as replay, watching(ApiAccess(replay.url)) as watch:
        wait_until(lambda: len(replay.requests) == 6)
        assert replay.verbs() == ["list", "watch", "watch", "list", "list", "watch"]
        assert [query.get("resourceVersion") for _, query in replay.requests] == [
            "0", "236", "324", None, None, "236",
        ]  # fmt: skip
        assert names(watch) == NODE_1


def test_an_overloaded_server_is_given_the_time_that_it_asks_for() -> None:
    answers = {"list": ["during-shutdown-sigterm", "list-node-1-rv0"]}
    clock = SkippingClock()
    with Replay(answers) as replay, watching(ApiAccess(replay.url), clock=clock) as watch:
        wait_until(lambda: watch.synced)
        assert clock.skipped >= 1.0


def test_a_restored_etcd_is_found_out() -> None:
    timing = attrs.evolve(QUICK, stable_seconds=0.0, silence_seconds=0.2)
    answers = {"list": ["list-node-1-rv0", "err-rv-too-large-list", "list-empty"]}
    with Replay(answers) as replay, watching(ApiAccess(replay.url), timing=timing) as watch:
        wait_until(lambda: watch.synced)
        watch.ask_for_list()
        wait_until(lambda: watch.status().requests.get(("watch", "none"), 0) >= 1)
        wait_until(lambda: not names(watch))
        assert [query.get("resourceVersion") for verb, query in replay.requests if verb == "list"] == [
            "0", "236", None,
        ]  # fmt: skip
