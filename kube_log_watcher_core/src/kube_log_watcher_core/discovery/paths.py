"""Where a node keeps its containers' logs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs

POD_LOGS = Path("/var/log/pods")
DOCKER_CONTAINERS = Path("/var/lib/docker/containers")
CANDIDATES = (DOCKER_CONTAINERS, POD_LOGS, Path("/mnt/containers"))


@attrs.frozen
class NodePaths:
    """The folders to look at, as they are mounted here."""

    containers: Path
    """``WATCHER_CONTAINERS_PATH``: Docker's containers, pod folders, or the kubelet's links."""
    layout: str
    """``docker``, ``cri`` or ``auto`` (decided per entry)."""
    roots: tuple[Path, ...]
    """Where resolved logs may lie. Not yet resolved themselves."""


def default_roots(containers: Path) -> tuple[Path, ...]:
    """Return the folders in which logs may lie when nobody has said so."""
    pods = containers.parent / "pods"
    behind_links = (pods,) if containers.name == "containers" and pods.is_dir() else ()
    return tuple(dict.fromkeys((containers, *behind_links, POD_LOGS, DOCKER_CONTAINERS)))


def find_containers_path(candidates: Sequence[Path] = CANDIDATES) -> Path:
    """Return the first folder that is there, else the first."""
    return next((path for path in candidates if path.is_dir()), candidates[0])
