"""One look at the node without a watcher: the disk, the state file, and the API for so long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import attrs

from kube_log_watcher_core.configuration import Configuration
from kube_log_watcher_core.discovery import Discovery
from kube_log_watcher_core.kube import PodWatch
from kube_log_watcher_core.models import Departed, Pods, Work
from kube_log_watcher_core.reconcile import Life, Reconciler
from kube_log_watcher_core.resolve import Resolution
from kube_log_watcher_core.state import StateFile


@attrs.frozen(kw_only=True)
class Look:
    """What one look has shown."""

    resolution: Resolution
    departed: tuple[Departed, ...]
    life_of: Callable[[str], Life | None]
    pods: Pods
    left: Work
    """What the state file says."""
    asking_singly: bool
    api_error: str | None
    """Why the pods can't be had; what is known of them is then from the state file."""


def look(
    configuration: Configuration,
    *,
    timeout_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
) -> Look:
    """Look at the node, and at the API for so long.

    Raises
    ------
    DiscoveryError
        when the containers can't be listed.
    """
    state_dir = configuration.watcher.state_dir
    left = Work()
    if state_dir and state_dir.is_dir():
        left = StateFile(state_dir).load(configuration.rules, configuration.paths.roots)
    reconciler = Reconciler(left, clock=clock, wall=wall)
    discovery = Discovery(configuration.paths)
    changed = threading.Event()
    pod_watch = PodWatch(
        configuration.access, node_name=configuration.watcher.cluster_node_name, on_change=changed.set
    )
    try:
        containers = discovery.scan()
        pod_watch.want({(item.namespace, item.pod_name) for item in containers if item.pod_name})
        pod_watch.start()
        error = _wait_for_pods(pod_watch, changed, timeout_seconds=timeout_seconds, clock=clock)
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
            asking_singly=pod_watch.status().asking_singly,
            api_error=error,
        )
    finally:
        pod_watch.stop()
        discovery.close()


def _wait_for_pods(
    pod_watch: PodWatch, changed: threading.Event, *, timeout_seconds: float, clock: Callable[[], float]
) -> str | None:
    """Return why the pods can't be had; None when they are there."""
    deadline = clock() + timeout_seconds
    while not pod_watch.synced:
        if not changed.wait(max(deadline - clock(), 0.0)) and not pod_watch.synced:
            reason = pod_watch.status().error or "no answer"
            return f"the pods can't be had within {timeout_seconds:g} s: {reason}"
        changed.clear()
    return None
