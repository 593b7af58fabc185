"""What health and metrics are told of the running daemon."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
from collections import Counter
from collections.abc import Callable

from kube_log_watcher_core.agents import AgentWorkers
from kube_log_watcher_core.kube import PodWatch
from kube_log_watcher_core.observe.snapshot import Snapshot, WatchSnapshot
from kube_log_watcher_core.resolve import Resolution


class Monitor:
    """Counts what the main loop does; any thread may ask how it stands."""

    def __init__(self, agents: AgentWorkers, *, clock: Callable[[], float]) -> None:
        self._agents = agents
        self._clock = clock
        self._loop_due = clock()
        self._passes: Counter[str] = Counter()
        self._reloads: Counter[str] = Counter()
        self._resolution: Resolution | None = None
        self._polling = False
        self._fallbacks = 0
        self._pod_watch: PodWatch | None = None
        self._watching_since = clock()
        # Of watches that are no more: what they counted stays counted.
        self._requests: Counter[tuple[str, str]] = Counter()
        self._relists = 0

    def sleeping(self, seconds: float) -> None:
        """Note that the loop lives, and that it may stay asleep for so long."""
        self._loop_due = self._clock() + seconds

    def awake(self) -> float:
        """Note that the loop begins to work; give the time."""
        self._loop_due = now = self._clock()
        return now

    def passed(self, resolution: Resolution | None, *, full: bool, polling: bool) -> None:
        """Count a pass; without a resolution, what was decided last still stands."""
        self._passes["full" if full else "partial"] += 1
        self._fallbacks += polling and not self._polling
        self._polling = polling
        self._resolution = resolution or self._resolution

    def reloaded(self, *, success: bool) -> None:
        """Count a reload."""
        self._reloads["success" if success else "failure"] += 1

    def watches(self, pod_watch: PodWatch) -> None:
        """Look at this watch from now on."""
        if self._pod_watch is not None:
            status = self._pod_watch.status()
            self._requests = self._requests + Counter(status.requests)
            self._relists += status.relists
        self._pod_watch, self._watching_since = pod_watch, self._clock()

    def snapshot(self) -> Snapshot:
        """Tell how everything stands; from any thread."""
        resolution = self._resolution
        reasons = (skip.reason.value for skip in (resolution.skipped if resolution else ()))
        return Snapshot(
            now=self._clock(),
            loop_due=self._loop_due,
            watch=self._watch(),
            agents=self._agents.snapshots(),
            targets=len(resolution.targets) if resolution else 0,
            skipped=Counter(reasons),
            passes=self._passes.copy(),
            polling=self._polling,
            fallbacks=self._fallbacks,
            reloads=self._reloads.copy(),
            version=_version(),
            python=platform.python_version(),
        )

    def _watch(self) -> WatchSnapshot:
        watch = self._pod_watch
        if watch is None:
            return WatchSnapshot(last_byte=self._watching_since, tick_due=self._clock())
        status = watch.status()
        return WatchSnapshot(
            synced=watch.synced,
            asking_singly=status.state == "fallback",
            last_byte=self._watching_since if status.last_byte is None else status.last_byte,
            tick_due=status.tick_due,
            requests=self._requests + Counter(status.requests),
            relists=self._relists + status.relists,
        )


@functools.cache
def _version() -> str:
    return importlib.metadata.version("kube-log-watcher-core")
