"""The pods of the demo: a dozen, on two nodes."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from kube_log_watcher_core.models import Layout
from kube_log_watcher_testing.fake_api import ContainerStatus, FakeApi, pod_object
from kube_log_watcher_testing.fake_api.objects import JsonObject
from kube_log_watcher_testing.fake_node import FakeContainer, FakeNode

FORMER_UID = "5e0c1a7e-2f0d-4a55-9a63-7d1c0b7f2a11"
NODES = {"docker-node": Layout.DOCKER, "containerd-node": Layout.CRI}


@attrs.frozen
class Part:
    """A pod and what is special about it."""

    node: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    containers: tuple[str, ...] = ("main",)
    in_api: bool = True
    static_hash: str | None = None
    """For a static pod: the uid that its folder has instead of the API's."""
    predecessor: bool = False
    """The node still has the folder of a pod that had the same name before."""
    pause: bool = False
    """Its sandbox shows on disk (Docker)."""


def _labels(application: str, version: str = "", component: str = "") -> Mapping[str, str]:
    labels = {"application": application, "version": version, "component": component}
    return {key: value for key, value in labels.items() if value}


CAST = (
    Part("docker-node", "shop", "shop-6f7d8b-x2x4v", _labels("shop", "1.4.2", "web"), ("web", "metrics")),
    Part("docker-node", "shop", "shop-6f7d8b-9kq7t", _labels("shop", "1.4.2", "web")),
    Part("docker-node", "billing", "billing-0", _labels("billing", "2.10"), pause=True),
    Part("docker-node", "kube-system", "kube-proxy-z8xkj", _labels("kube-proxy", "v1.34.9")),
    Part("docker-node", "default", "debug", {"run": "debug"}),
    Part("docker-node", "default", "leftover", {}, in_api=False),
    Part("containerd-node", "search", "search-0", _labels("search", "7.0.1", "index"), ("index", "sidecar")),
    Part("containerd-node", "search", "search-1", _labels("search", "7.0.1", "index")),
    Part("containerd-node", "shop", "shop-6f7d8b-hh5cz", _labels("shop", "1.4.2", "web")),
    Part("containerd-node", "jobs", "report-29011680-m4wqd", _labels("report")),
    Part(
        "containerd-node",
        "kube-system",
        "etcd-containerd-node",
        _labels("etcd", "3.6.4"),
        static_hash="0f3a5c1de4b96f7c2a8d913be05f6c47",
    ),
    Part("containerd-node", "default", "cache-0", _labels("cache", "8"), predecessor=True),
)

ARRIVAL = Part("containerd-node", "shop", "checkout-5d9c4f-tq8w2", _labels("checkout", "0.9.0"))


@attrs.frozen
class Stage:
    """The nodes and the API server on which it all happens."""

    nodes: Mapping[str, FakeNode]
    api: FakeApi
    containers: dict[str, list[FakeContainer]] = attrs.field(factory=dict)
    """By the pod's name."""
    pauses: dict[str, FakeContainer] = attrs.field(factory=dict)

    def enter(self, part: Part) -> None:
        """Let a pod arrive: its files first, as in life, then the API's news of it."""
        if part.predecessor:
            self._add(part, uid=FORMER_UID)
        made = self.containers[part.name] = self._add(part, uid=part.static_hash)
        if part.pause:
            self.pauses[part.name] = self.nodes[part.node].add_pause(pod=part.name, namespace=part.namespace)
        if part.in_api:
            self.api.add(_as_object(part, made))

    def _add(self, part: Part, *, uid: str | None) -> list[FakeContainer]:
        node = self.nodes[part.node]
        image = f"registry.example.org/{part.namespace}"
        made = [
            node.add(
                pod=part.name, namespace=part.namespace, container=name, image=f"{image}/{name}:1", uid=uid
            )
            for name in part.containers
        ]
        for container in made:
            node.write(container, "hello", "ready")
        return made

    def leave(self, part: Part) -> None:
        """Let a pod go."""
        pause = self.pauses.pop(part.name, None)
        for container in [*self.containers.pop(part.name), *([pause] if pause else [])]:
            self.nodes[part.node].remove(container)
        self.api.delete(part.namespace, part.name)


def _as_object(part: Part, containers: list[FakeContainer]) -> JsonObject:
    return pod_object(
        part.name,
        namespace=part.namespace,
        uid=None if part.static_hash else containers[0].uid,
        labels=part.labels,
        annotations=_of_a_mirror(part.static_hash) if part.static_hash else None,
        owner=("Node", part.node) if part.static_hash else None,
        node=part.node,
        containers=[
            ContainerStatus(name=container.name, image=container.image, id=container.id)
            for container in containers
        ],
    )


def _of_a_mirror(static_hash: str) -> dict[str, str]:
    return {"kubernetes.io/config.hash": static_hash, "kubernetes.io/config.mirror": static_hash}
