"""One look at the node without a watcher: the disk, the state file, and the API for so long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import attrs

from kube_log_watcher_core.configuration import Configuration
from kube_log_watcher_core.discovery import Discovery
from kube_log_watcher_core.kube.watch import PodWatch
from kube_log_watcher_core.models import Container, Departed, LogTarget, Pods, Work
from kube_log_watcher_core.reconcile import Life, Reconciler
from kube_log_watcher_core.resolve import Resolution
from kube_log_watcher_core.spool import DrySpoolDisk, Spool, SpoolDisk, SpoolKeeper, SpoolView
from kube_log_watcher_core.state import StateFile

NOT_KEPT_YET = "it is not kept yet: the next watcher does that"


@attrs.frozen(kw_only=True)
class Look:
    """What one look has shown."""

    resolution: Resolution
    departed: tuple[Departed, ...]
    life_of: Callable[[str], Life | None]
    pods: Pods
    left: Work
    """What the state file says."""
    spool: SpoolView
    keeper: SpoolKeeper | None
    """What has kept the logs; None without a spool."""
    asking_singly: bool
    api_error: str | None
    """Why the pods can't be had; what is known of them is then from the state file."""


def look(configuration: Configuration, *, timeout_seconds: float, keep_on: SpoolDisk | None = None) -> Look:
    """Look at the node, and at the API for so long.

    Logs that the spool doesn't have yet are kept ``keep_on`` a disk; without one they go by their paths.
    Raises `DiscoveryError` when the containers can't be listed.
    """
    state_dir = configuration.watcher.state_dir
    left = Work()
    if state_dir and state_dir.is_dir():
        left = StateFile(state_dir).load(configuration.rules, configuration.paths.roots)
    reconciler = Reconciler(left, clock=time.monotonic, wall=time.time)
    discovery = Discovery(configuration.paths)
    changed = threading.Event()
    pod_watch = PodWatch(
        configuration.access, node_name=configuration.watcher.cluster_node_name, on_change=changed.set
    )
    try:
        containers, keeper, spool = _kept(configuration, discovery.scan(), left, keep_on)
        pod_watch.want({(item.namespace, item.pod_name) for item in containers if item.pod_name})
        pod_watch.start()
        error = _wait_for_pods(pod_watch, changed, timeout_seconds=timeout_seconds)
        pods = pod_watch.pods()
        passed = reconciler.reconcile(
            containers, pods, rules=configuration.rules, timeouts=configuration.timeouts
        )
        return Look(
            resolution=passed.resolution,
            departed=passed.work.departed,
            life_of=reconciler.life_of,
            pods=pods,
            left=left,
            spool=spool,
            keeper=keeper,
            asking_singly=pod_watch.status().asking_singly,
            api_error=error,
        )
    finally:
        pod_watch.stop()
        discovery.close()


def _kept(
    configuration: Configuration, containers: tuple[Container, ...], left: Work, keep_on: SpoolDisk | None
) -> tuple[tuple[Container, ...], SpoolKeeper | None, SpoolView]:
    """Return containers as the spool lets them go on, and what it has of them.

    Without a disk to keep logs on, what it doesn't have yet stays with its path: nothing is linked, so a
    shipper would look in vain.
    """
    folders = configuration.watcher.spool_dir
    targets: tuple[LogTarget, ...] = (*left.targets, *(each.target for each in left.departed))
    if not folders and all(target.container.spool is None for target in targets):
        return containers, None, SpoolView()
    spool = Spool(folders, wall=time.time, disk=keep_on or DrySpoolDisk())
    spool.load()
    keeper = SpoolKeeper(
        spool,
        targets,
        roots=configuration.paths.roots,
        wall=time.time,
        clock=time.time,
        rules=configuration.spool_rules,
    )
    before = dict(keeper.by_path)
    if keep_on is None:
        spool.use(())
    kept = keeper.keep(containers)
    by_path = {key: before.get(key, NOT_KEPT_YET) for key in keeper.by_path}
    return kept, keeper, SpoolView(folders=folders, logs=keeper.logs, by_path=by_path)


def _wait_for_pods(pod_watch: PodWatch, changed: threading.Event, *, timeout_seconds: float) -> str | None:
    """Return why the pods can't be had; None when they are there."""
    deadline = time.monotonic() + timeout_seconds
    while not pod_watch.synced:
        if not changed.wait(max(deadline - time.monotonic(), 0.0)) and not pod_watch.synced:
            reason = pod_watch.status().error or "no answer"
            return f"the pods can't be had within {timeout_seconds:g} s: {reason}"
        changed.clear()
    return None
