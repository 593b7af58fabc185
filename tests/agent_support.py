"""Targets for tests of agents, and what is on a disk before and after."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from kube_log_watcher_core import Container, Layout, LogTarget, Pod


def container_id(number: int) -> str:
    """Give the id of container number so-and-so."""
    return f"{number:064x}"


def make_target(
    number: int = 1,
    *,
    layout: Layout = Layout.DOCKER,
    labels: Mapping[str, str] | None = None,
    attributes: Mapping[str, str] | None = None,
    pod: str = "shop-1",
    namespace: str = "default",
    name: str = "main",
    cluster_id: str | None = "cluster-1",
    log_path: Path | None = None,
) -> LogTarget:
    """Give a target as resolving makes it of a container and these labels."""
    labels = {"application": "shop", "version": "v7"} if labels is None else labels
    path = log_path or default_log_path(number, layout=layout, pod=f"{namespace}_{pod}", name=name)
    container = Container(
        key=str(number),
        layout=layout,
        id=container_id(number),
        name=name,
        pod_name=pod,
        namespace=namespace,
        log_path=path,
    )
    return LogTarget(
        id=container_id(number),
        log_path=path,
        container=container,
        pod=Pod(uid=f"uid-{number}", name=pod, namespace=namespace, labels=labels),
        application=labels.get("application"),
        component=labels.get("component"),
        version=labels.get("version"),
        release=labels.get("release"),
        environment=labels.get("environment", "production"),
        image="app",
        image_version="1",
        cluster_id=cluster_id,
        node="node-1",
        attributes=attributes or {},
    )


def default_log_path(number: int, *, layout: Layout, pod: str, name: str) -> Path:
    """Give the path that Docker or a kubelet would choose for a log."""
    if layout is Layout.CRI:
        return Path(f"/var/log/pods/{pod}_uid-{number}/{name}/0.log")
    identity = container_id(number)
    return Path(f"/var/lib/docker/containers/{identity}/{identity}-json.log")


def tree(folder: Path) -> dict[str, bytes | str | None]:
    """Give all below a folder: a file's content, where a link leads, None for anything else."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = str(path.readlink())
        else:
            found[name] = path.read_bytes() if path.is_file() else None
    return found


def identities(folder: Path) -> dict[str, tuple[int, int]]:
    """Give inode and time of the last change of all below a folder: an untouched file keeps both."""
    found = {}
    for path in folder.rglob("*"):
        status = os.lstat(path)
        found[str(path.relative_to(folder))] = (status.st_ino, status.st_mtime_ns)
    return found
