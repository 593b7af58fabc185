"""One complete pass, for ``once``: look, wait for the API, let each agent sync, report."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.configuration import Configuration
from kube_log_watcher_core.discovery import Discovery
from kube_log_watcher_core.errors import AgentError, ApiError
from kube_log_watcher_core.kube import PodWatch
from kube_log_watcher_core.loop.agents import make_agent
from kube_log_watcher_core.loop.holding import Holding
from kube_log_watcher_core.models import LogTarget, Work
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
        deadline = clock() + timeout_seconds
        while not pod_watch.synced:
            if not changed.wait(max(deadline - clock(), 0.0)) and not pod_watch.synced:
                reason = pod_watch.status().error or "no answer"
                raise ApiError(f"the pods can't be had within {timeout_seconds:g} s: {reason}")
            changed.clear()
        resolution = memory.reconcile(
            containers, pod_watch.pods(), rules=configuration.rules, patience=configuration.patience, sizes={}
        )
        draining = [each.target for each in memory.work.departed]
        return attrs.evolve(resolution, targets=_by_id([*resolution.targets, *draining]))
    finally:
        pod_watch.stop()
        discovery.close()


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
