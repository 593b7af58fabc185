"""Whose log is whose: neither an annotation nor a name gives a log to another pod."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from daemon_support import CART, SHOP, Stage, layouts, staged
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_api import pod_object
from kube_log_watcher_testing.fake_node import FakeContainer

HASH = "0f" * 16
THIS_NODE = ("Node", "node-1")
EXCLUDE = {"kubernetes-log-watcher/exclude": "true"}


def claims(uid: str) -> dict[str, str]:
    """Give the annotations that would make a pod the mirror of a static one."""
    return {"kubernetes.io/config.hash": uid, "kubernetes.io/config.mirror": uid}


def let_claim(stage: Stage, uid: str, *, annotations: Mapping[str, str]) -> None:
    """Let strangers claim a folder, the last with all that only a kubelet should write."""
    hash_alone = {"kubernetes.io/config.hash": uid, **annotations}
    stage.api.add(pod_object("thief", namespace="other", labels=CART, annotations=hash_alone, containers=()))
    whole = {**claims(uid), **annotations}
    stage.api.add(
        pod_object(
            "forger", namespace="other", labels=CART, annotations=whole, containers=(), owner=THIS_NODE
        )
    )


@layouts
def test_an_annotation_takes_no_static_pods_log(tmp_path: Path, layout: Layout) -> None:
    with staged(tmp_path, layout) as stage:
        one = stage.node.add(pod="kube-apiserver-node-1", namespace="kube-system", uid=HASH)
        # Before the kubelet has told the API of its pod, and again afterwards.
        let_claim(stage, HASH, annotations=EXCLUDE)
        stage.settle()
        assert stage.ignores(one)
        stage.show(one, annotations=claims(HASH), uid="mirror-uid", owner=THIS_NODE)
        let_claim(stage, HASH, annotations=EXCLUDE)
        stage.wait_application(one, "shop")
        stage.restart()
        stage.settle()
        assert stage.follows(one)
        assert stage.applications(one) == {"shop"}


@layouts
def test_an_annotation_takes_no_log_of_a_pod_that_left_the_api(tmp_path: Path, layout: Layout) -> None:
    with staged(tmp_path, layout) as stage:
        followed, excluded = stage.run("shop-1"), stage.run("quiet-1", annotations=EXCLUDE)
        stage.wait_followed(followed)
        stage.settle()
        for each in (followed, excluded):
            let_claim(stage, each.uid, annotations={})
            stage.api.delete("default", each.pod)
            # Whoever may create pods of that name in that namespace has one chance more, and it is none.
            stage.show(each, labels=CART, annotations=claims(each.uid), uid="claimant", owner=THIS_NODE)
            stage.settle()
        assert stage.applications(followed) == {"shop"}
        assert stage.ignores(excluded)


@layouts
def test_a_pod_that_changes_and_goes_at_once_leaves_its_logs_with_the_change(
    tmp_path: Path, layout: Layout
) -> None:
    """The change may be a rule that redacts."""
    rule = {"kubernetes-log-watcher/scalyr-redaction-rules": '[{"match_expression": "password=\\\\S+"}]'}
    with staged(tmp_path, layout, environ={"WATCHER_DRAIN_SECONDS": "60"}) as stage:
        pods = [stage.run(f"shop-{number}") for number in range(10)]
        stage.wait_followed(*pods)
        for number, one in enumerate(pods):
            item = stage.api.get("default", one.pod)
            item["metadata"]["labels"]["application"] = "last"
            item["metadata"]["annotations"] = rule
            stage.api.update(item)
            stage.api.delete("default", one.pod)
            if number % 2:
                stage.node.remove(one)
        for one in pods:
            stage.wait_application(one, "last")
            assert stage.entry(one)["redaction_rules"]


@layouts
def test_while_the_api_is_away_a_successor_is_not_known_by_its_predecessors_labels(
    tmp_path: Path, layout: Layout
) -> None:
    with staged(tmp_path, layout) as stage:
        old, other = stage.run("web-0", uid="uid-old"), stage.run("other")
        stage.wait_followed(old, other)
        stage.api.stop()
        stage.node.remove(old)
        new = stage.node.add(pod="web-0", uid="uid-new")
        # What is decided of a pod that is known shows that the new log has been looked at, too.
        stage.wait_followed(stage.node.restart(other))
        stage.wait_ignored(old)
        assert stage.ignores(new)
        stage.api.delete("default", "web-0")
        stage.show(new, labels=CART)
        stage.api.start()
        stage.wait_application(new, "cart")


def join(stage: Stage, container: FakeContainer) -> FakeContainer:
    """Let another container join a pod, which moves the time of its folder."""
    return stage.node.add(pod=container.pod, uid=container.uid, container="joined")


def test_an_old_log_is_not_known_by_its_successors_labels_however_young_its_folder_looks(
    tmp_path: Path,
) -> None:
    with Stage(tmp_path, Layout.CRI, environ={"WATCHER_LOGLEVEL": "DEBUG"}) as stage:
        known = stage.run("known")
        old = stage.node.add(pod="web-0", uid="uid-old")
        stage.api.add(pod_object("web-0", uid="uid-new", labels=CART))
        joined = join(stage, old)
        os.utime(old.log.parent.parent, (4e9, 4e9))
        for _ in range(2):
            stage.start()
            stage.wait_followed(known)
            stage.settle()
            assert stage.ignores(old, joined)
            assert stage.watcher.stop() == 0


@pytest.mark.parametrize("labels", [SHOP, CART], ids=["shop", "cart"])
def test_without_one_common_uid_names_decide(tmp_path: Path, labels: dict[str, str]) -> None:
    """An API that makes up uids of its own (a simulation) would be of no use otherwise."""
    with staged(tmp_path, Layout.CRI) as stage:
        one = stage.node.add(pod="shop-1", uid="uid-of-the-node")
        stage.show(one, labels=labels, uid="uid-of-the-api")
        stage.wait_application(one, labels["application"])
        stage.wait_followed(stage.run("real-1"))
        stage.wait_ignored(one)
