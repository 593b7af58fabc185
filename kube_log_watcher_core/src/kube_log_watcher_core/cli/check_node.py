"""What ``check`` looks at on the node: containers and their logs, folders, the spool, the kernel's limits."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from inotify_simple import INotify

from kube_log_watcher_core.cli.findings import Finding, fail, ok, warn
from kube_log_watcher_core.discovery import Discovery, NodePaths
from kube_log_watcher_core.errors import DiscoveryError
from kube_log_watcher_core.models import Container, Reason
from kube_log_watcher_core.spool import trial
from kube_log_watcher_core.spool.linking import REMEDIES

LIMITS = Path("/proc/sys/fs/inotify")
WATCHES_PER_CONTAINER = 3
"""A pod's folder, its container's, and room for what is just coming and going."""
FEW_INSTANCES = 128
"""The kernel's own default, which several programs of one node share."""


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
    """Check which containers have logs that can't be had, and what stands against it."""
    harmless = {Reason.PAUSE, Reason.NOT_KUBERNETES}
    obstacles = [item.obstacle for item in containers if item.obstacle is not None]
    counts = Counter(obstacle.reason for obstacle in obstacles if obstacle.reason not in harmless)
    for reason, count in counts.items():
        example = next(obstacle.detail for obstacle in obstacles if obstacle.reason is reason)
        yield warn("containers", f"{count} can't be followed: {reason.value}", f"for example: {example}")


def check_roots(paths: NodePaths, *, named: bool) -> Iterable[Finding]:
    """Check which of the folders that logs may lie in are there; nobody misses one that is a default."""
    missing = [root for root in paths.roots if not root.is_dir()]
    there = [str(root) for root in paths.roots if root.is_dir()]
    if named or not there:
        for root in missing:
            text = f"WATCHER_LOG_ROOTS: {root} is no folder"
            yield fail("log roots", text, "mount it at this path, or take it out")
    if there:
        yield ok("log roots", f"logs may lie in {', '.join(there)}")


def check_state_dir(folder: Path | None) -> Finding:
    """Check whether something can survive a restart."""
    if folder is None:
        text = "WATCHER_STATE_DIR is not set: what is known is lost with a restart"
        return warn("state", text, "mount a folder for it")
    name = f"WATCHER_STATE_DIR={folder}"
    if not folder.is_dir():
        return fail("state", f"{name} is no folder", "create it, or mount it into the container")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return fail("state", f"{name} can't be written to", "mount it read-write")
    return ok("state", f"{name} can be written to")


def check_spool(
    folders: Sequence[Path], containers: Iterable[Container], roots: Sequence[Path]
) -> Iterable[Finding]:
    """Try for one log below each root whether it can be kept: one link is made, and removed at once."""
    if not folders:
        return
    name = f"WATCHER_SPOOL_DIR={','.join(map(str, folders))}"
    logs = [it.log_path for it in containers if it.log_path is not None and it.log_path.is_file()]
    tried = {root: log for root in roots for log in logs if log.is_relative_to(root)}
    for log in tried.values():
        obstacles: list[str] = []
        for folder in folders:
            obstacle = trial(folder, log)
            if not obstacle:
                yield ok("spool", f"a link to {log} was made in {folder}, and removed: its files can be kept")
                break
            obstacles.append(f"{folder}: {obstacle}")
        else:
            remedy = "\n".join([*obstacles, "until then such logs are followed by their path"])
            yield fail("spool", f"{name}: {log} can't be linked there", remedy)
    if not tried:
        yield from _spool_without_logs(folders, roots, name)


def _spool_without_logs(folders: Sequence[Path], roots: Sequence[Path], name: str) -> Iterable[Finding]:
    """Compare devices where there is no log to try: what has another one can't work."""
    for folder in folders:
        if not folder.is_dir():
            yield fail("spool", f"{name}: {folder} is no folder", REMEDIES[errno.ENOENT])
    there = {folder.stat().st_dev for folder in folders if folder.is_dir()}
    apart = [root for root in roots if root.is_dir() and root.stat().st_dev not in there]
    for root in apart if there else ():
        text = f"{name}: it is on another file system than {root}"
        yield warn("spool", text, REMEDIES[errno.EXDEV])
    if there and not apart:
        yield ok("spool", f"{name}: on the file system of the logs; there is no log yet to try a link with")


def check_inotify(containers: Sequence[Container], *, limits: Path = LIMITS) -> Iterable[Finding]:
    """Check whether the kernel's limits leave room for watching."""
    needed = len(containers) * WATCHES_PER_CONTAINER + 16
    watches, instances = (_limit(limits / f"max_user_{what}") for what in ("watches", "instances"))
    if watches is not None and watches < needed:
        text = f"fs.inotify.max_user_watches={watches}, expected at least {needed}: changes are found late"
        yield warn("inotify", text, f"on the node: sysctl -w fs.inotify.max_user_watches={needed * 10}")
    try:
        INotify().close()
    except OSError as error:
        refusal = errno.errorcode.get(error.errno or 0, str(error))
        text = f"no instance can be had ({refusal}), fs.inotify.max_user_instances={instances}"
        yield warn("inotify", text, "on the node: sysctl -w fs.inotify.max_user_instances=1024")
        return
    if instances is not None and instances < FEW_INSTANCES:
        text = f"fs.inotify.max_user_instances={instances}, expected at least {FEW_INSTANCES}"
        yield warn("inotify", text, f"on the node: sysctl -w fs.inotify.max_user_instances={FEW_INSTANCES}")
    else:
        text = f"limits: {watches} watches, {instances} instances; about {needed} watches needed"
        yield ok("inotify", text)


def _limit(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
