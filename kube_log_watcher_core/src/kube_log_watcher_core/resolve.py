"""The one decision: which containers are followed, as what, and why the others are not. Pure."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import attrs

from kube_log_watcher_core.images import image_parts
from kube_log_watcher_core.models import (
    Container,
    FrozenMap,
    Layout,
    LogTarget,
    NodeContext,
    Pod,
    Pods,
    Reason,
    Skipped,
)


@attrs.frozen
class Rules:
    """What the operator decided about targets."""

    node: NodeContext = attrs.field(factory=NodeContext)
    strict_labels: tuple[str, ...] = ()
    labels_as_attributes: tuple[str, ...] = ()
    log_path_map: tuple[tuple[Path, Path], ...] = ()


@attrs.frozen
class Resolution:
    """All containers of the node: each one is a target or skipped with a reason."""

    targets: tuple[LogTarget, ...] = ()
    """Sorted by id."""
    skipped: tuple[Skipped, ...] = ()
    """Sorted by the container's key."""


@attrs.frozen
class Known:
    """What is known from before: decisions that stay, once made."""

    targets: Mapping[str, LogTarget] = attrs.field(factory=dict)
    """The last targets by their container's key."""
    same_rules: bool = False
    """The same rules made them: then an unchanged container is the same target."""
    waited: Collection[str] = frozenset()
    """Keys of containers whose id was waited for long enough: now it is made up."""


def resolve(containers: Iterable[Container], pods: Pods, rules: Rules, known: Known) -> Resolution:
    """Give each container a target or a reason."""
    containers = tuple(containers)
    on_disk = frozenset(container.pod_uid for container in containers if container.pod_uid)
    targets, skipped = [], []
    for container in containers:
        decision = _decide(container, pods, rules, known, on_disk)
        if isinstance(decision, LogTarget):
            targets.append(decision)
        else:
            skipped.append(decision)
    targets.sort(key=lambda target: target.id)
    skipped.sort(key=lambda skip: skip.container.key)
    return Resolution(tuple(targets), tuple(skipped))


def _decide(
    container: Container, pods: Pods, rules: Rules, known: Known, on_disk: frozenset[str]
) -> LogTarget | Skipped:
    if container.obstacle is not None:
        return Skipped(container, container.obstacle.reason, container.obstacle.detail)
    before = known.targets.get(container.key)
    pod = _pod_of(container, pods, before, on_disk)
    if isinstance(pod, Skipped):
        return pod
    if before is not None and before.container is container and before.pod is pod and known.same_rules:
        return before
    missing = [label for label in rules.strict_labels if not pod.labels.get(label)]
    if missing:
        return Skipped(container, Reason.LABEL_MISSING, _missing_labels(pod, missing))
    identity = _id_of(container, pod, before, known.waited)
    if identity is None:
        detail = "neither a link in the containers folder nor the pod's status tells the container id yet"
        return Skipped(container, Reason.ID_UNKNOWN, detail)
    return _target(identity, container, pod, rules)


def _pod_of(
    container: Container, pods: Pods, before: LogTarget | None, on_disk: frozenset[str]
) -> Pod | Skipped:
    """Find the pod: by uid, else by name; once found, a container stays with its pod.

    A pod that left the API goes on being this container's: its log may be written and read for a
    while. A successor of the same name never takes over a container that was another pod's.
    """
    if before is not None:
        return pods.by_uid(before.pod.uid) or pods.by_uid(container.pod_uid) or before.pod
    pod = pods.by_uid(container.pod_uid)
    if pod is not None:
        return pod
    namesake = pods.by_name(container.namespace, container.pod_name)
    if namesake is None:
        detail = f"the API shows no pod {container.namespace}/{container.pod_name} on this node"
        return Skipped(container, Reason.POD_UNKNOWN, detail)
    if _is_successor(namesake, container, on_disk):
        detail = f"pod {container.namespace}/{container.pod_name} was replaced by one of the same name"
        return Skipped(container, Reason.POD_REPLACED, detail)
    return namesake


def _is_successor(pod: Pod, container: Container, on_disk: frozenset[str]) -> bool:
    """Tell whether a pod only has the name of the container's pod: StatefulSets use names again.

    It is one when its own uid is on the disk with other containers, or when it is younger than the
    container.
    """
    if container.pod_uid is None:
        return False
    if pod.uid in on_disk:
        return True
    return pod.created is not None and container.created is not None and container.created < pod.created


def _missing_labels(pod: Pod, missing: Collection[str]) -> str:
    labels = ", ".join(missing)
    return f"pod {pod.namespace}/{pod.name} has no label {labels}: add it, or change WATCHER_STRICT_LABELS"


def _id_of(container: Container, pod: Pod, before: LogTarget | None, waited: Collection[str]) -> str | None:
    """Choose the id, which then stays for the life of the run: links, status, at last a made-up one."""
    if before is not None:
        return before.id
    if container.id:
        return container.id
    for status in pod.containers:
        if status.id and (status.name, status.restart_count) == (container.name, container.restart_count):
            return status.id
    return hashlib.sha256(container.key.encode()).hexdigest() if container.key in waited else None


def _target(identity: str, container: Container, pod: Pod, rules: Rules) -> LogTarget:
    image, image_version = image_parts(_image_of(container, pod))
    return LogTarget(
        id=identity,
        log_path=_as_seen_by_shipper(container, rules.log_path_map),
        container=container,
        pod=pod,
        application=pod.labels.get("application") or None,
        component=pod.labels.get("component") or None,
        version=pod.labels.get("version") or None,
        release=pod.labels.get("release") or None,
        environment=pod.labels.get("environment") or rules.node.cluster_environment,
        image=image,
        image_version=image_version,
        cluster_id=rules.node.cluster_id,
        node=rules.node.node,
        attributes=_attributes(pod.labels, rules.labels_as_attributes),
    )


def _image_of(container: Container, pod: Pod) -> str | None:
    # The kubelet may have started the container by its image's id, which tells nobody anything.
    if container.layout is Layout.DOCKER and container.image and not container.image.startswith("sha256:"):
        return container.image
    return next((status.image for status in pod.containers if status.name == container.name), None)


def _as_seen_by_shipper(container: Container, path_map: Iterable[tuple[Path, Path]]) -> Path:
    path = container.log_path
    if path is None:
        raise ValueError(f"{container.key} has neither a log nor an obstacle")
    for here, there in sorted(path_map, key=lambda pair: len(pair[0].parts), reverse=True):
        if path.is_relative_to(here):
            return there / path.relative_to(here)
    return path


def _attributes(labels: Mapping[str, str], wanted: tuple[str, ...]) -> FrozenMap:
    if not wanted:
        return FrozenMap()
    return FrozenMap(
        {
            name: value
            for name, value in sorted(labels.items())
            if value and any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted)
        }
    )
