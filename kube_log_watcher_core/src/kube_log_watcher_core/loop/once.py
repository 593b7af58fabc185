"""One complete pass, for ``once``: look, wait for the API, let each agent sync, report."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.agents import Holding, make_agent
from kube_log_watcher_core.configuration import Configuration
from kube_log_watcher_core.discovery import Discovery
from kube_log_watcher_core.errors import AgentError, ApiError
from kube_log_watcher_core.kube import PodWatch
from kube_log_watcher_core.models import Departed, LogTarget, Pods, Work
from kube_log_watcher_core.reconcile import Memory
from kube_log_watcher_core.resolve import Resolution
from kube_log_watcher_core.state import StateFile


def look_once(
    configuration: Configuration,
    *,
    timeout_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
) -> Resolution:
    """Look at the node and the API until both were seen whole.

    Logs that are gone and still drain, by the state file, are among the targets.

    Raises
    ------
    DiscoveryError
        when the containers can't be listed.
    ApiError
        when the pods can't be had within the time.
    """
    seen = look(configuration, timeout_seconds=timeout_seconds, clock=clock, wall=wall)
    if seen.api_error is not None:
        raise ApiError(seen.api_error)
    draining = [each.target for each in seen.departed]
    return attrs.evolve(seen.resolution, targets=_by_id([*seen.resolution.targets, *draining]))


@attrs.frozen(kw_only=True)
class Look:
    """What one look has shown."""

    resolution: Resolution
    departed: tuple[Departed, ...]
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
    left = StateFile(state_dir).load() if state_dir and state_dir.is_dir() else Work()
    memory = Memory(left, clock=clock, wall=wall)
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
        resolution = memory.reconcile(
            containers, pods, rules=configuration.rules, patience=configuration.patience, sizes={}
        )
        return Look(
            resolution=resolution,
            departed=memory.work.departed,
            pods=pods,
            left=left,
            asking_singly=pod_watch.status().state == "fallback",
            api_error=error,
        )
    finally:
        pod_watch.stop()
        discovery.close()


def _wait_for_pods(
    pod_watch: PodWatch, changed: threading.Event, *, timeout_seconds: float, clock: Callable[[], float]
) -> str | None:
    """Give why the pods can't be had, if they can't."""
    deadline = clock() + timeout_seconds
    while not pod_watch.synced:
        if not changed.wait(max(deadline - clock(), 0.0)) and not pod_watch.synced:
            reason = pod_watch.status().error or "no answer"
            return f"the pods can't be had within {timeout_seconds:g} s: {reason}"
        changed.clear()
    return None


def _by_id(targets: Iterable[LogTarget]) -> tuple[LogTarget, ...]:
    return tuple(sorted(targets, key=lambda target: target.id))


@attrs.frozen
class AgentResult:
    """What one agent did in a single pass."""

    name: str
    error: str | None = None


def one_pass(configuration: Configuration, *, timeout_seconds: float) -> tuple[Resolution, list[AgentResult]]:
    """Do one complete pass: every agent's configuration matches afterwards, or its error is told.

    An agent whose folders another watcher has is left to that one, and that is told as an error.
    """
    agents = [(chosen.name, make_agent(chosen, configuration.node)) for chosen in configuration.agents]
    resolution = look_once(configuration, timeout_seconds=timeout_seconds)
    holding = Holding(configuration.watcher.state_dir)
    return resolution, list(_sync_all(agents, resolution, holding))


def _sync_all(
    agents: Iterable[tuple[str, BaseAgent[Any]]], resolution: Resolution, holding: Holding
) -> Iterable[AgentResult]:
    for name, agent in agents:
        try:
            holding.hold(agent)
            agent.sync(resolution.targets)
        except (AgentError, OSError) as error:
            yield AgentResult(name, str(error))
        else:
            yield AgentResult(name)
        finally:
            agent.close()
