"""A followed container: its id, and the fields that are derived from its pod."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path

from kube_log_watcher_core.models import Container, FrozenMap, Layout, LogTarget, Pod, Pods
from kube_log_watcher_core.resolve.ownership import is_anothers
from kube_log_watcher_core.resolve.rules import Rules
from kube_log_watcher_core.segments import place_of_container


def id_of(
    container: Container, pod: Pod, before: LogTarget | None, pods: Pods, waited: Collection[str]
) -> str | None:
    """Choose the id, which then stays for the life of the run: links, status, at last a made-up one.

    Whoever can make a link can write any id into its name: what the API says is another's is not believed.
    """
    told = (before.id if before is not None else None, container.id)
    for each in told:
        if each and not is_anothers(each, container, pod, pods):
            return each
    for status in pod.containers:
        if status.id and (status.name, status.restart_count) == (container.name, container.restart_count):
            return status.id
    return hashlib.sha256(container.key.encode()).hexdigest() if container.key in waited else None


def make_target(identity: str, container: Container, pod: Pod, rules: Rules) -> LogTarget:
    """Make a target of a container and its pod."""
    if container.log_path is None:
        raise ValueError(f"{container.key} has neither a log nor an obstacle")
    told = next((status.image for status in pod.containers if status.name == container.name), None)
    # The kubelet may have started the container by its image's id, which tells nobody anything.
    if container.layout is Layout.DOCKER and container.image and not container.image.startswith("sha256:"):
        told = container.image
    image, image_version = image_parts(told)
    pattern = {}  # else it is that of its path
    if container.spool is not None:
        place = place_of_container(container, identity)
        if place is None:
            raise ValueError(f"{container.key} is kept in the spool, and has names that do not fit there")
        pattern = {"pattern": place.pattern(as_seen_by_shipper(container.spool, rules.log_path_map))}
    return LogTarget(
        id=identity,
        log_path=as_seen_by_shipper(container.log_path, rules.log_path_map),
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
        attributes=FrozenMap(
            {
                name: value
                for name, value in sorted(pod.labels.items())
                if value and any(fnmatch.fnmatchcase(name, each) for each in rules.labels_as_attributes)
            }
        ),
        **pattern,
    )


def image_parts(reference: str | None) -> tuple[str | None, str | None]:
    """Split an image reference into its name and its version.

    The name is the last path component; the version is the tag, else the digest, else ``latest``.
    A registry's port is no tag: ``localhost:5000/team/app`` is ``app``, ``latest``.
    """
    if not reference:
        return None, None
    path, _, digest = reference.partition("@")
    name, _, tag = path.rsplit("/", 1)[-1].partition(":")
    return name or None, tag or digest or "latest"


def as_seen_by_shipper(path: Path, path_map: Iterable[tuple[Path, Path]]) -> Path:
    """Return a path with the longest of the prefixes replaced that it begins with."""
    for here, there in sorted(path_map, key=lambda pair: len(pair[0].parts), reverse=True):
        if path.is_relative_to(here):
            return there / path.relative_to(here)
    return path
