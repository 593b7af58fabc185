"""Takes the snapshot: the main loop tells what it does, and any thread may ask how everything stands.

Passes, reloads and fallbacks to polling are counted here; each other room counts its own.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from kube_log_watcher_core.agents import AgentStatus
from kube_log_watcher_core.configuration import Configuration
from kube_log_watcher_core.kube import WatchStatus
from kube_log_watcher_core.observe.log_state import count_states
from kube_log_watcher_core.observe.snapshot import Snapshot, Sources
from kube_log_watcher_core.resolve import Resolution
from kube_log_watcher_core.spool import SpoolView

if TYPE_CHECKING:  # what reads a snapshot does without what speaks HTTP
    from kube_log_watcher_core.kube.watch import PodWatch


class Monitor:
    """Counts what the main loop does; any thread may ask how it stands."""

    def __init__(
        self,
        agents: Callable[[], tuple[AgentStatus, ...]],
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        pod_events: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._agents = agents
        self._clock = clock
        self._wall = wall
        self._pod_events = pod_events
        self._began = self._loop_due = clock()
        self._passes: Counter[str] = Counter()
        self._reloads: Counter[str] = Counter()
        self._resolution = Resolution()
        self._draining = 0
        self._polling_reason: str | None = None
        self._node_trouble = ""
        self._refusal = ""
        self._settings_at = 0.0
        self._fallbacks = 0
        self._sources = Sources()
        self._pod_watch: PodWatch | None = None
        self._spool: Callable[[], SpoolView] = SpoolView
        # Of watches that are no more: what they counted stays counted.
        self._requests: Counter[tuple[str, str]] = Counter()
        self._relists = 0
        self._version = importlib.metadata.version("kube-log-watcher-core")

    def sleeping(self, seconds: float) -> None:
        """Note that the loop lives, and that it may stay asleep for so long."""
        self._loop_due = self._clock() + seconds

    def awake(self) -> float:
        """Note that the loop begins to work; return the time."""
        self._loop_due = now = self._clock()
        return now

    def passed(
        self,
        resolution: Resolution | None,
        *,
        full: bool,
        draining: int,
        polling_reason: str | None,
        node_trouble: str = "",
    ) -> None:
        """Count a pass; without a resolution, what was decided last still stands."""
        self._passes["full" if full else "partial"] += 1
        self._fallbacks += polling_reason is not None and self._polling_reason is None
        self._polling_reason = polling_reason
        self._node_trouble = node_trouble
        self._draining = draining
        self._resolution = resolution or self._resolution

    def reloaded(self, refusal: str = "") -> None:
        """Count a reload: the new settings are in use, or can't be used, and the old ones stay."""
        self._reloads["failure" if refusal else "success"] += 1
        self._refusal = refusal

    def configured(self, configuration: Configuration) -> None:
        """Take where the watcher looks from now on."""
        self._settings_at = self._wall()
        watcher = configuration.watcher
        self._sources = Sources(
            node=watcher.cluster_node_name,
            api_url=configuration.access.url,
            containers_path=str(configuration.paths.containers),
            settings_files=tuple(configuration.files),
            state_dir=watcher.state_dir,
        )

    def watches(self, pod_watch: PodWatch) -> None:
        """Look at this watch from now on."""
        if self._pod_watch is not None:
            status = self._pod_watch.status()
            self._requests = self._requests + Counter(status.requests)
            self._relists += status.relists
        self._pod_watch = pod_watch

    def spools(self, look: Callable[[], SpoolView]) -> None:
        """Look at this spool from now on; ``look`` is called by any thread."""
        self._spool = look

    def snapshot(self) -> Snapshot:
        """Return how everything stands; from any thread."""
        resolution, draining, agents, spool = self._resolution, self._draining, self._agents(), self._spool()
        held = frozenset().union(*(agent.held for agent in agents))
        return Snapshot(
            now=self._clock(),
            at=self._wall(),
            began=self._began,
            loop_due=self._loop_due,
            watch=self._watch(),
            agents=agents,
            targets=len(resolution.targets),
            draining=draining,
            logs=count_states(resolution, draining=draining, held=held, spool=spool),
            skipped=Counter(skip.reason.value for skip in resolution.skipped),
            passes=self._passes.copy(),
            polling_reason=self._polling_reason,
            node_trouble=self._node_trouble,
            settings_refusal=self._refusal,
            settings_at=self._settings_at,
            fallbacks=self._fallbacks,
            reloads=self._reloads.copy(),
            spool=spool,
            pod_events=dict(self._pod_events),
            sources=self._sources,
            pid=os.getpid(),
            version=self._version,
            python=platform.python_version(),
        )

    def _watch(self) -> WatchStatus:
        if self._pod_watch is None:
            now = self._clock()
            return WatchStatus("starting", since=now, began=now, tick_due=now)
        status = self._pod_watch.status()
        return attrs.evolve(
            status,
            requests=self._requests + Counter(status.requests),
            relists=self._relists + status.relists,
        )
