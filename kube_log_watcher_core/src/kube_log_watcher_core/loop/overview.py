"""What the status socket is told of the running daemon."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from kube_log_watcher_core.agents import AgentWorkers
from kube_log_watcher_core.configuration import Configuration
from kube_log_watcher_core.kube.status import WatchStatus
from kube_log_watcher_core.loop.explaining import PodSource, Scene, explain
from kube_log_watcher_core.loop.monitor import Monitor
from kube_log_watcher_core.loop.node_pass import NodePass
from kube_log_watcher_core.loop.sightings import Sightings
from kube_log_watcher_core.models import Pods
from kube_log_watcher_core.observe.health import LIVENESS, READINESS, lacks_of
from kube_log_watcher_core.observe.query import parse_query
from kube_log_watcher_core.observe.report import (
    AgentStatus,
    Explanation,
    NodeStatus,
    WatchStatusReport,
    document,
)
from kube_log_watcher_core.observe.snapshot import Snapshot
from kube_log_watcher_core.resolve import Resolution


@attrs.frozen(kw_only=True)
class _Seen:
    """What the main thread saw last. Never changed, so any thread may read it."""

    configuration: Configuration
    node: NodePass
    resolution: Resolution | None
    pods: Pods
    polling_reason: str | None


class Overview:
    """Takes each pass, from the main thread; answers from any."""

    def __init__(
        self,
        agents: AgentWorkers,
        monitor: Monitor,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._agents = agents
        self._monitor = monitor
        self._clock = clock
        self._wall = wall
        self._began = clock()
        self._sightings = Sightings(wall)
        self._seen: _Seen | None = None

    def passed(self, node: NodePass, configuration: Configuration, resolution: Resolution | None) -> None:
        """Note a pass; without a resolution, what was decided last still stands."""
        pods = node.pod_watch.pods()
        if resolution is not None:
            self._sightings.note(resolution, pods, node.memory.work.departed)
        self._seen = _Seen(
            configuration=configuration,
            node=node,
            resolution=resolution or (self._seen.resolution if self._seen else None),
            pods=pods,
            polling_reason=node.discovery.polling_reason,
        )

    def answer(self, request: str) -> Mapping[str, Any]:
        """Answer ``status``, or ``explain`` with filters as JSON.

        Raises
        ------
        ValueError
            when it is neither.
        """
        word, _, rest = request.strip().partition(" ")
        if self._seen is None:
            raise ValueError("the watcher has only just begun: ask again")
        if word == "status":
            return document("status", self._status(self._seen))
        if word == "explain":
            return document("explanation", self._explain(self._seen, _filters(rest)))
        raise ValueError("what can be asked is: status, explain")

    def _explain(self, seen: _Seen, filters: Mapping[str, str]) -> Explanation:
        query = parse_query(
            filters.get("name", ""), namespace=filters.get("namespace"), selector=filters.get("selector", "")
        )
        status = seen.node.pod_watch.status()
        scene = Scene(
            resolution=seen.resolution or Resolution(),
            departed=seen.node.memory.work.departed,
            pods=seen.pods,
            rules=seen.configuration.rules,
            pod_source=PodSource(
                asking_singly=status.state == "fallback",
                age_seconds=self._age(status),
                shown=self._sightings.shown,
            ),
            first_seen=self._sightings.first_seen,
        )
        told = explain(scene, query, self._agents.accounts, source="watcher", at=self._wall())
        notes = () if seen.resolution else ("nothing is decided yet: the folders or the API were never seen",)
        return attrs.evolve(told, notes=(*told.notes, *notes))

    def _status(self, seen: _Seen) -> NodeStatus:
        snapshot, agents = self._monitor.snapshot(), self._agents.details()
        watch = seen.node.pod_watch.status()
        settings = seen.configuration.watcher
        return NodeStatus(
            at=self._wall(),
            version=snapshot.version,
            python=snapshot.python,
            pid=os.getpid(),
            uptime_seconds=self._clock() - self._began,
            node=settings.cluster_node_name or watch.node_name or "unknown",
            problems=tuple(_problems(snapshot, agents, watch, seen.polling_reason)),
            followed=snapshot.targets,
            draining=len(seen.node.memory.work.departed),
            skipped=dict(sorted(snapshot.skipped.items())),
            agents=agents,
            watch=self._watch(seen, watch),
            containers_path=str(seen.configuration.paths.containers),
            polling_reason=seen.polling_reason,
            settings_files=tuple(str(file) for file in seen.configuration.files),
            state_dir=str(settings.state_dir) if settings.state_dir else None,
        )

    def _watch(self, seen: _Seen, status: WatchStatus) -> WatchStatusReport:
        return WatchStatusReport(
            state=status.state,
            since_seconds=self._clock() - status.since,
            age_seconds=self._age(status),
            synced=seen.node.pod_watch.synced,
            pods=len(seen.pods),
            error=status.error,
            node_name=status.node_name,
            url=seen.configuration.access.url,
            relists=status.relists,
        )

    def _age(self, status: WatchStatus) -> float | None:
        return None if status.last_byte is None else max(self._clock() - status.last_byte, 0.0)


def _filters(text: str) -> Mapping[str, str]:
    filters = json.loads(text or "{}")
    if not isinstance(filters, dict) or not all(isinstance(value, str) for value in filters.values()):
        raise ValueError("filters are a JSON object of strings: name, namespace, selector")
    return {name: value for name, value in filters.items() if value}


def _problems(
    snapshot: Snapshot, agents: tuple[AgentStatus, ...], watch: WatchStatus, polling_reason: str | None
) -> Iterator[str]:
    for lack in (*lacks_of(LIVENESS, snapshot), *lacks_of(READINESS, snapshot)):
        yield lack.text.replace(" (see the log)", "")
    for agent in agents:
        if agent.failures:
            yield f"agent {agent.name} failed {agent.failures} times in a row: {agent.error}"
    if watch.error is not None:
        yield f"the Kubernetes API: {watch.error}"
    elif watch.state == "fallback":
        yield "pods are asked for one by one: list or watch can't be had"
    if polling_reason is not None:
        yield f"folders are polled, inotify can't be had: {polling_reason}"
