"""What ``check`` looks at on the node: folders, inotify, the node's name. Writes nothing."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from inotify_simple import INotify

from kube_log_watcher_core.cli.findings import Finding, fail, ok, warn
from kube_log_watcher_core.configuration import Configuration
from kube_log_watcher_core.discovery import Discovery, NodePaths
from kube_log_watcher_core.errors import DiscoveryError
from kube_log_watcher_core.models import Container, Reason

LIMITS = Path("/proc/sys/fs/inotify")
WATCHES_PER_CONTAINER = 3
"""A pod's folder, its container's, and room for what is just coming and going."""
FEW_INSTANCES = 128
"""The kernel's own default, which several programs of one node share."""

NODE_NAME_RULE = """\
env:
  - name: CLUSTER_NODE_NAME
    valueFrom: {fieldRef: {fieldPath: spec.nodeName}}"""


def find_containers(paths: NodePaths, *, named: bool) -> tuple[tuple[Container, ...], Finding]:
    """List the containers, and tell how that went."""
    discovery = Discovery(paths)
    name = f"WATCHER_CONTAINERS_PATH={paths.containers}"
    name += "" if named else " (not set: found by looking)"
    try:
        containers = discovery.scan()
    except DiscoveryError as error:
        remedy = "mount the node's folder of containers (hostPath, read-only) and name it there"
        return (), fail("containers", f"{name}: {error}", remedy)
    finally:
        discovery.close()
    return containers, ok("containers", f"{name}: {len(containers)} found")


def check_obstacles(containers: Iterable[Container]) -> Iterable[Finding]:
    """Tell about containers whose logs can't be had, by what stands against it."""
    harmless = {Reason.PAUSE, Reason.NOT_KUBERNETES}
    obstacles = [item.obstacle for item in containers if item.obstacle is not None]
    counts = Counter(obstacle.reason for obstacle in obstacles if obstacle.reason not in harmless)
    for reason, count in counts.items():
        example = next(obstacle.detail for obstacle in obstacles if obstacle.reason is reason)
        yield warn("containers", f"{count} can't be followed: {reason.value}", f"for example: {example}")


def check_roots(paths: NodePaths, *, named: bool) -> Iterable[Finding]:
    """Tell which of the folders that logs may lie in are there; nobody misses one that is a default."""
    missing = [root for root in paths.roots if not root.is_dir()]
    there = [str(root) for root in paths.roots if root.is_dir()]
    if named or not there:
        for root in missing:
            yield fail(
                "log roots",
                f"WATCHER_LOG_ROOTS: {root} is no folder",
                "mount it at this path, or take it out",
            )
    if there:
        yield ok("log roots", f"logs may lie in {', '.join(there)}")


def check_state_dir(folder: Path | None) -> Finding:
    """Tell whether something can survive a restart."""
    name = f"WATCHER_STATE_DIR={folder}"
    if folder is None:
        return warn(
            "state",
            "WATCHER_STATE_DIR is not set: what is known is lost with a restart",
            "mount a folder for it",
        )
    if not folder.is_dir():
        return fail("state", f"{name} is no folder", "create it, or mount it into the container")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return fail("state", f"{name} can't be written to", "mount it read-write")
    return ok("state", f"{name} can be written to")


def check_node_name(configuration: Configuration) -> Finding:
    """Tell whether the node's name is known."""
    name = configuration.watcher.cluster_node_name
    if name:
        return ok("node name", f"CLUSTER_NODE_NAME={name}")
    text = "CLUSTER_NODE_NAME is not set: the node is looked for by a pod that is found on disk"
    return warn("node name", text, NODE_NAME_RULE)


def check_inotify(containers: Sequence[Container], *, limits: Path = LIMITS) -> Iterable[Finding]:
    """Tell whether the kernel's limits leave room for watching."""
    needed = len(containers) * WATCHES_PER_CONTAINER + 16
    watches = _limit(limits / "max_user_watches")
    if watches is not None and watches < needed:
        text = f"fs.inotify.max_user_watches={watches}, expected at least {needed}: changes are found late"
        yield warn("inotify", text, f"on the node: sysctl -w fs.inotify.max_user_watches={needed * 10}")
    instances = _limit(limits / "max_user_instances")
    refusal = _try_inotify()
    if refusal:
        text = f"no instance can be had ({refusal}), fs.inotify.max_user_instances={instances}"
        yield warn("inotify", text, "on the node: sysctl -w fs.inotify.max_user_instances=1024")
    elif instances is not None and instances < FEW_INSTANCES:
        text = f"fs.inotify.max_user_instances={instances}, expected at least {FEW_INSTANCES}"
        yield warn("inotify", text, f"on the node: sysctl -w fs.inotify.max_user_instances={FEW_INSTANCES}")
    else:
        yield ok(
            "inotify", f"limits: {watches} watches, {instances} instances; about {needed} watches needed"
        )


def _limit(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _try_inotify() -> str:
    """Take an instance and give it back; give why that can't be done."""
    try:
        INotify().close()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return ""
