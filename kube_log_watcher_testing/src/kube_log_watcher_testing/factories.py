"""Containers, pods and targets for tests of agents, made as the watcher itself makes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from kube_log_watcher_core.models import Container, Layout, LogTarget, NodeContext, Pod, PodContainer
from kube_log_watcher_core.resolve import Rules
from kube_log_watcher_core.resolve.target import make_target as resolved
from kube_log_watcher_core.segments import place_of_container

NODE = NodeContext(cluster_id="cluster-1", node="node-1")
LABELS = {"application": "shop", "version": "v7"}
SPOOL = Path("/var/log/kube-log-watcher/spool")
"""Where the chart has it."""


def container_id(number: int) -> str:
    """Return the id of container number so-and-so."""
    return f"{number:064x}"


def make_container(
    number: int = 1,
    *,
    layout: Layout = Layout.DOCKER,
    name: str = "main",
    pod: str = "shop-1",
    namespace: str = "default",
    image: str | None = "registry.example.org/team/app:1.0",
    log_path: Path | None = None,
) -> Container:
    """Make a container with a log where its runtime would write it."""
    identity = container_id(number)
    return Container(
        key=identity,
        layout=layout,
        id=identity,
        name=name,
        pod_name=pod,
        namespace=namespace,
        pod_uid=f"uid-{number}",
        log_path=log_path or log_path_of(number, layout),
        image=image,
    )


def log_path_of(number: int, layout: Layout) -> Path:
    """Return the path of a log; no name is part of it that a pod's author chooses."""
    identity = container_id(number)
    if layout is Layout.DOCKER:
        return Path(f"/var/lib/docker/containers/{identity}/{identity}-json.log")
    return Path(f"/var/log/pods/default_pod-{number}_uid-{number}/main/0.log")


def make_pod(
    container: Container,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Pod:
    """Make the pod of a container, with the labels application=shop and version=v7, or others."""
    return Pod(
        uid=container.pod_uid or "uid",
        name=container.pod_name,
        namespace=container.namespace,
        labels=LABELS if labels is None else labels,
        annotations=annotations or {},
        node=NODE.node,
        containers=(PodContainer(name=container.name, image=container.image or "", id=container.id or ""),),
    )


def make_target(
    container: Container | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    node: NodeContext = NODE,
    labels_as_attributes: tuple[str, ...] = (),
) -> LogTarget:
    """Make the target that the watcher makes of a container and its pod."""
    container = container or make_container()
    rules = Rules(node=node, labels_as_attributes=labels_as_attributes)
    pod = make_pod(container, labels=labels, annotations=annotations)
    return resolved(container.id or container.key, container, pod, rules)


def make_spooled(target: LogTarget, spool: Path = SPOOL) -> LogTarget:
    """Make the target that the watcher makes of the same container where a spool keeps its log.

    Its pattern matches the log's segments, and no longer the log. No log goes from the one to the other:
    each keeps the form in which it was first followed.
    """
    container = attrs.evolve(target.container, spool=spool)
    place = place_of_container(container, target.id)
    if place is None:
        raise ValueError(f"the names of {container.key} do not fit into the spool")
    return attrs.evolve(target, container=container, pattern=place.pattern(spool))
