"""Whatever happens on the node and in the API reaches all shippers, by events alone.

All tests of a layout share one watcher, whose next full pass is an hour away.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon_support import CART, SHOP, Stage, staged
from kube_log_watcher_core import Layout
from support import soon

_SPACES = itertools.count()
PARSER = "kubernetes-log-watcher/scalyr-parser"


@pytest.fixture(scope="module", params=list(Layout), ids=lambda layout: str(layout.value))
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("follows"), request.param) as stage:
        yield stage


@pytest.fixture
def stage(shared: Stage) -> Stage:
    """Give the shared stage, and a namespace that no other test has."""
    shared.namespace = f"space-{next(_SPACES)}"
    return shared


class TestPods:
    def test_a_labelled_pods_container_is_configured_for_all_shippers(self, stage: Stage) -> None:
        one = stage.run("shop-1", labels={**SHOP, "component": "api", "release": "r3"})
        stage.wait_followed(one)
        assert (
            stage.entry(one)["attributes"].items()
            >= {
                "application": "shop",
                "version": "v7",
                "component": "api",
                "release": "r3",
                "pod": "shop-1",
                "namespace": stage.namespace,
                "container": "main",
            }.items()
        )
        assert (
            stage.job(one)["fields"].items()
            >= {
                "sourceType": "application-shop",
                "application_id": "shop",
                "application_version": "v7",
                "application_pod": "shop-1",
                "application_namespace": stage.namespace,
                "container_name": "main",
                "nodeName": "node-1",
                "kubernetes_cluster": "cluster-1",
            }.items()
        )
        path = f"{one.id}/shop/api/{stage.namespace}/production/v7/main/shop-1.log"
        assert stage.link(one) == Path(path)
        assert stage.friendly(one) == Path(f"{one.id}/shop-v7.log")

    def test_a_pod_that_goes_leaves_nothing_behind(self, stage: Stage) -> None:
        goes, stays = stage.run("goes"), stage.run("stays")
        stage.wait_followed(goes, stays)
        stage.end(goes)
        stage.wait_ignored(goes)
        stage.watcher.wait_for(
            lambda: not (stage.dest / goes.id).exists() and not (stage.tree / goes.id).exists(),
            what="the end of empty folders",
        )
        assert stage.follows(stays)

    def test_a_changed_label_reaches_all_shippers_and_nothing_of_the_old_one_stays(
        self, stage: Stage
    ) -> None:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        stage.api.relabel(stage.namespace, "shop-1", application="store")
        stage.wait_application(one, "store")
        for folder, name in ((stage.dest, "store-v7.log"), (stage.tree, "store")):
            stage.watcher.wait_for(
                lambda at=folder / one.id, name=name: os.listdir(at) == [name],  # type: ignore[misc]
                what=f"the end of the old link in {folder}",
            )

    def test_a_pod_that_loses_a_needed_label_is_dropped_and_comes_back_with_it(self, stage: Stage) -> None:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        stage.show(one, labels={"application": "shop"})
        stage.wait_ignored(one)
        stage.show(one, labels={"application": "shop", "version": "v8"})
        stage.wait_followed(one)
        assert stage.job(one)["fields"]["application_version"] == "v8"

    def test_a_changed_annotation_reaches_the_shipper(self, stage: Stage) -> None:
        one = stage.run("shop-1")
        stage.wait_followed(one)

        def parser() -> str | None:
            found: str | None = stage.entry(one)["attributes"].get("parser")
            return found

        before = parser()
        stage.show(one, annotations={PARSER: json.dumps([{"container": "main", "parser": "nginx"}])})
        stage.watcher.wait_for(lambda: parser() == "nginx", what="the parser")
        stage.show(one)
        stage.watcher.wait_for(lambda: parser() == before, what="the default parser")

    def test_a_pod_may_become_known_before_its_log(self, stage: Stage) -> None:
        one = stage.node.add(pod="slow", namespace=stage.namespace, started=False)
        stage.show(one)
        stage.settle()
        assert stage.ignores(one)
        stage.node.start(one)
        stage.wait_followed(one)

    def test_a_log_may_come_before_its_pod_is_known(self, stage: Stage) -> None:
        one = stage.node.add(pod="early", namespace=stage.namespace)
        stage.settle()
        assert stage.ignores(one)
        stage.show(one)
        stage.wait_followed(one)

    def test_two_containers_of_one_pod_are_told_apart(self, stage: Stage) -> None:
        web = stage.node.add(pod="shop-1", namespace=stage.namespace, container="web")
        proxy = stage.node.add(pod="shop-1", namespace=stage.namespace, container="proxy")
        stage.show(web, proxy)
        stage.wait_followed(web, proxy)
        names = [stage.entry(each)["attributes"]["container"] for each in (web, proxy)]
        assert names == ["web", "proxy"]

    def test_pods_of_one_name_in_two_namespaces_are_told_apart(self, stage: Stage) -> None:
        ours = stage.run("twin", namespace=f"{stage.namespace}-a", labels=SHOP)
        theirs = stage.run("twin", namespace=f"{stage.namespace}-b", labels=CART)
        stage.wait_followed(ours, theirs)
        assert stage.applications(ours) == {"shop"}
        assert stage.applications(theirs) == {"cart"}

    def test_a_re_created_pod_of_the_same_name_is_not_mixed_up_with_its_predecessor(
        self, stage: Stage
    ) -> None:
        """A StatefulSet uses names again, and the old container's files outlive its pod."""
        old = stage.run("db-0", uid=f"{stage.namespace}-old", labels={**SHOP, "version": "v1"})
        stage.wait_followed(old)
        stage.api.delete(stage.namespace, "db-0")
        new = stage.run("db-0", uid=f"{stage.namespace}-new", labels={**SHOP, "version": "v2"})
        stage.wait_followed(old, new)
        versions = [stage.job(each)["fields"]["application_version"] for each in (old, new)]
        assert versions == ["v1", "v2"]
        stage.node.remove(old)
        stage.wait_ignored(old)
        assert stage.follows(new)

    def test_a_pod_that_has_left_the_api_is_followed_while_its_log_is_there(self, stage: Stage) -> None:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        before = stage.entry(one), stage.job(one)
        stage.api.delete(stage.namespace, "shop-1")
        stage.settle()
        assert (stage.entry(one), stage.job(one)) == before
        stage.node.remove(one)
        stage.wait_ignored(one)

    def test_a_static_pod_is_known_by_its_configurations_hash_whatever_its_mirrors_uid(
        self, stage: Stage
    ) -> None:
        hashed = stage.namespace.replace("space-", "").rjust(32, "c")
        one = stage.node.add(pod="proxy-node-1", namespace=stage.namespace, uid=hashed)
        annotations = {"kubernetes.io/config.hash": hashed, "kubernetes.io/config.mirror": hashed}
        node = ("Node", "node-1")
        stage.show(one, annotations=annotations, uid=f"{stage.namespace}-mirror-1", owner=node)
        stage.wait_application(one, "shop")
        stage.api.delete(stage.namespace, "proxy-node-1")
        stage.show(one, annotations=annotations, labels=CART, uid=f"{stage.namespace}-mirror-2", owner=node)
        stage.wait_application(one, "cart")

    @pytest.mark.parametrize("labels", [None, {"application": "", "version": "v7"}], ids=["none", "empty"])
    def test_a_pod_without_the_needed_labels_is_left_alone_and_harms_nobody(
        self, stage: Stage, labels: dict[str, str] | None
    ) -> None:
        bare, good = stage.run("bare", labels=labels), stage.run("good")
        stage.wait_followed(good)
        assert stage.ignores(bare)

    def test_a_pod_with_null_labels_harms_nobody(self, stage: Stage) -> None:
        null, good = stage.run("null"), stage.node.add(pod="good", namespace=stage.namespace)
        stage.wait_followed(null)
        item = stage.api.get(stage.namespace, "null")
        item["metadata"]["labels"] = item["metadata"]["annotations"] = None
        stage.api.update(item)
        stage.wait_ignored(null)
        stage.show(good)
        stage.wait_followed(good)

    @pytest.mark.parametrize(
        "value",
        [
            "../../../up",
            "/etc/passwd",
            'a"b\\c',
            "$HOME ${X} %n",
            "two\nlines",
            "\u00e4\u4e16\u754c\U0001f600",
            "..",
        ],
        ids=["up", "absolute", "quotes", "variables", "newline", "beyond-ascii", "dots"],
    )
    def test_a_hostile_label_stays_data(self, stage: Stage, value: str) -> None:
        """An API server refuses most of these; a label is never part of a path or a template as it is."""
        odd = stage.run("odd", labels={"application": value, "version": value})
        good = stage.run("good")
        stage.wait_followed(odd, good)
        assert stage.job(odd)["fields"]["application_id"] == value
        assert len(stage.link(odd).parts) == 8
        assert len(stage.friendly(odd).parts) == 2
        assert {path.name for path in stage.root.iterdir()} == {"node", "scalyr", "jobs", "tree", "dest"}


def test_a_change_takes_effect_by_itself(stage: Stage) -> None:
    """How soon is measured in ``benchmarks/cost``; the next full pass is an hour away."""
    with soon("following"):
        stage.wait_followed(stage.run("shop-1"))
