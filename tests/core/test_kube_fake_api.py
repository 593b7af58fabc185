"""The fake API server behaves as a real one does."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kube_log_watcher_testing.fake_api import (
    EPHEMERAL,
    INIT,
    Body,
    ContainerStatus,
    FakeApi,
    Refuse,
    container_id,
    pod_object,
)
from support import wait_until

PODS = "/api/v1/pods"
NODE = "?fieldSelector=spec.nodeName%3Dnode-1"


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as running:
        running.add(pod_object("shop-1", namespace="shop", uid="u-1", labels={"application": "shop"}))
        yield running


class Reply:
    """An answer that is read as it comes."""

    def __init__(self, api: FakeApi, path: str, **headers: str) -> None:
        self._connection = http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=30)
        self._connection.request("GET", path, headers=headers)
        self.response = self._connection.getresponse()
        self.status = self.response.status

    def json(self) -> Any:
        return json.loads(self.response.read())

    def event(self) -> tuple[str, dict[str, Any]]:
        event = json.loads(self.response.readline())
        return event["type"], event["object"]

    def close(self) -> None:
        self.response.close()
        self._connection.close()


Ask = Callable[..., Reply]


@pytest.fixture
def ask(api: FakeApi) -> Iterator[Ask]:
    """Ask the server for a path."""
    with contextlib.ExitStack() as stack:

        def one(path: str, **headers: str) -> Reply:
            reply = Reply(api, path, **headers)
            stack.callback(reply.close)
            return reply

        yield one


def test_a_list_has_no_kinds_inside_and_only_the_node_s_pods(api: FakeApi, ask: Ask) -> None:
    api.add(pod_object("far-1", node="node-2"))
    listed = ask(PODS + NODE).json()
    assert listed["kind"] == "PodList"
    assert listed["metadata"] == {"resourceVersion": "1002"}
    assert [item["metadata"]["name"] for item in listed["items"]] == ["shop-1"]
    assert list(listed["items"][0]) == ["metadata", "spec", "status"]


def test_a_list_may_be_of_one_namespace(api: FakeApi, ask: Ask) -> None:
    api.add(pod_object("other-1"))
    listed = ask("/api/v1/namespaces/shop/pods").json()
    assert [item["metadata"]["name"] for item in listed["items"]] == ["shop-1"]


def test_a_pod_has_a_kind_and_is_404_when_it_is_not_there(ask: Ask) -> None:
    found = ask("/api/v1/namespaces/shop/pods/shop-1")
    assert (found.status, found.json()["kind"]) == (200, "Pod")
    missing = ask("/api/v1/namespaces/shop/pods/shop-2")
    assert (missing.status, missing.json()["reason"]) == (404, "NotFound")


def test_only_long_bodies_are_compressed_and_only_for_who_can_read_it(api: FakeApi, ask: Ask) -> None:
    assert ask(PODS, **{"Accept-Encoding": "gzip"}).response.headers["Content-Encoding"] is None
    for number in range(60):
        api.add(pod_object(f"p-{number}"))
    reply = ask(PODS, **{"Accept-Encoding": "gzip"})
    assert reply.response.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(reply.response.read()))["items"]) == 61
    assert len(ask(PODS).json()["items"]) == 61


def test_a_watch_brings_changes_after_its_version_as_they_happen(api: FakeApi, ask: Ask) -> None:
    reply = ask(f"{PODS}{NODE}&watch=true&resourceVersion=1001")
    api.relabel("shop", "shop-1", application="new")
    kind, pod = reply.event()
    assert (kind, pod["kind"], pod["metadata"]["labels"]) == ("MODIFIED", "Pod", {"application": "new"})
    api.add(pod_object("shop-2"))
    assert reply.event()[0] == "ADDED"
    api.delete("default", "shop-2")
    kind, pod = reply.event()
    assert (kind, pod["metadata"]["resourceVersion"]) == ("DELETED", "1004")
    reply.close()
    wait_until(lambda: api.open_watches == 0)


def test_a_watch_without_a_version_begins_with_what_is_there(ask: Ask) -> None:
    reply = ask(f"{PODS}{NODE}&watch=true")
    assert reply.event()[0] == "ADDED"
    reply.close()


def test_a_pod_that_leaves_the_selection_is_deleted_for_the_watch(api: FakeApi, ask: Ask) -> None:
    reply = ask(f"{PODS}{NODE}&watch=true&resourceVersion=1001")
    moved = api.get("shop", "shop-1")
    moved["spec"]["nodeName"] = "node-2"
    api.update(moved)
    assert reply.event()[0] == "DELETED"
    moved["spec"]["nodeName"] = "node-1"
    api.update(moved)
    assert reply.event()[0] == "ADDED"
    reply.close()


def test_a_watch_ends_with_a_bookmark_when_its_time_is_over(ask: Ask) -> None:
    options = "&watch=true&resourceVersion=1001&allowWatchBookmarks=true&timeoutSeconds=0.1"
    reply = ask(PODS + NODE + options)
    kind, item = reply.event()
    assert (kind, item["metadata"]) == ("BOOKMARK", {"resourceVersion": "1001"})
    assert reply.response.read() == b""


def test_a_watch_without_bookmarks_gets_none(ask: Ask) -> None:
    reply = ask(f"{PODS}{NODE}&watch=true&resourceVersion=1001&timeoutSeconds=0.1")
    assert reply.response.read() == b""


def test_versions_are_too_old_too_new_or_none(api: FakeApi, ask: Ask) -> None:
    api.compact()
    old = ask(f"{PODS}?watch=true&resourceVersion=1001")
    kind, status = old.event()
    assert (old.status, kind, status["code"], status["reason"]) == (200, "ERROR", 410, "Expired")
    new = ask(f"{PODS}?resourceVersion=99999")
    assert (new.status, new.response.headers["Retry-After"]) == (504, "1")
    assert new.json()["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert ask(f"{PODS}?watch=true&resourceVersion=abc").status == 500


def test_a_compaction_takes_nothing_from_a_watch_that_is_open(api: FakeApi, ask: Ask) -> None:
    """A real server has a buffer for each; without its DELETED, a watcher would know a gone pod for good."""
    for number in range(50):
        newest = api.add(pod_object(f"p-{number}"))["metadata"]["resourceVersion"]
    watch = ask(f"{PODS}?watch=true&resourceVersion={newest}")
    for number in range(50):
        api.delete("default", f"p-{number}")
    api.compact()
    assert [watch.event()[0] for _ in range(50)] == ["DELETED"] * 50


def test_a_restored_copy_has_an_older_version(api: FakeApi, ask: Ask) -> None:
    api.go_back(500)
    assert ask(PODS).json()["metadata"]["resourceVersion"] == "501"


def test_tokens_and_rights_are_checked_in_this_order(api: FakeApi, ask: Ask) -> None:
    api.accept("good")
    api.forbid("list")
    assert ask(PODS).status == 401
    assert ask(PODS, Authorization="Bearer good").status == 403
    api.allow("list")
    assert ask(PODS, Authorization="Bearer good").status == 200


def test_rights_can_be_reviewed(api: FakeApi) -> None:
    api.forbid("watch")
    connection = http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=30)
    for verb, allowed in (("list", True), ("watch", False)):
        review = {"spec": {"resourceAttributes": {"verb": verb, "resource": "pods"}}}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        connection.request("POST", path, json.dumps(review))
        assert json.loads(connection.getresponse().read())["status"] == {"allowed": allowed}
    connection.request("POST", PODS, "{}")
    assert connection.getresponse().status == 405
    connection.close()


def test_other_paths_are_those_of_an_api_server(ask: Ask) -> None:
    assert ask("/version").json()["gitVersion"].startswith("v1.")
    assert ask("/livez").response.read() == b"ok"
    assert ask("/api/v1/podz").status == 404


def test_faults_come_in_order_for_their_verb_and_end(api: FakeApi, ask: Ask) -> None:
    api.fail(Refuse(429, retry_after=3, text="Too many requests"), verb="list")
    api.fail(Refuse(500), times=2)
    api.fail(Body(b"odd"), verb="get", times=None)
    seen = [ask(PODS).status for _ in range(4)]
    assert seen == [429, 500, 500, 200]
    assert ask("/api/v1/namespaces/shop/pods/shop-1").response.read() == b"odd"
    api.heal()
    assert ask("/api/v1/namespaces/shop/pods/shop-1").json()["kind"] == "Pod"


def test_requests_are_kept_and_counted(api: FakeApi, ask: Ask) -> None:
    ask(PODS, **{"User-Agent": "somebody"}).json()
    api.fail(Refuse(500))
    ask(PODS).json()
    assert [(each.verb, each.path, each.status) for each in api.requests] == [
        ("list", PODS, 200),
        ("list", PODS, 500),
    ]
    assert api.requests[0].headers["User-Agent"] == "somebody"
    assert (api.count("list"), api.count("list", 500), api.count("watch")) == (2, 1, 0)


def test_after_a_restart_it_listens_where_it_was_and_knows_what_it_knew(api: FakeApi, ask: Ask) -> None:
    url = api.url
    api.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(PODS)
    api.start()
    assert api.url == url
    assert len(ask(PODS).json()["items"]) == 1


def test_a_pod_object_is_as_a_kubelet_would_have_it() -> None:
    pod = pod_object(
        "shop-1",
        containers=[
            ContainerStatus("setup", kind=INIT),
            ContainerStatus("app", restart_count=2, previous_id=container_id("before")),
            ContainerStatus("debug", id="", kind=EPHEMERAL),
        ],
        owner=("ReplicaSet", "shop"),
    )
    assert "labels" not in pod["metadata"]
    assert "annotations" not in pod["metadata"]
    assert pod["metadata"]["ownerReferences"][0]["controller"] is True
    assert [each["name"] for each in pod["spec"]["ephemeralContainers"]] == ["debug"]
    assert "containerID" not in pod["status"]["ephemeralContainerStatuses"][0]
    assert pod["status"]["containerStatuses"][0]["containerID"].startswith("containerd://")
    assert 2000 < len(json.dumps(pod)) < 6000
    assert pod_object("shop-1")["metadata"]["uid"] != pod_object("shop-1")["metadata"]["uid"]


def test_a_pod_that_is_not_there_can_not_be_changed(api: FakeApi) -> None:
    with pytest.raises(KeyError):
        api.get("shop", "none")
    with pytest.raises(KeyError):
        api.delete("shop", "none")
