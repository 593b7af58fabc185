"""How an agent is doing: one record, from which health, metrics and ``status`` are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from kube_log_watcher_core.agents.sync_stats import LATENCY_SECONDS, SYNC_SECONDS, Histogram
from kube_log_watcher_core.reconcile import DrainTally


@attrs.frozen(kw_only=True)
class AgentStatus:
    """How one agent is doing. Times are those of the watcher's monotonic clock, in seconds."""

    name: str
    origin: str = ""
    """The distribution that it comes from, with its version, or the file."""
    obstacle: Path | None = None
    """The folder that another watcher holds; None once the agent has all of its folders to itself."""
    predecessor_since: float | None = None
    """Since when it waits for the one before it, which hangs in a sync; None when it doesn't."""
    busy_since: float | None = None
    """When the sync that goes on began; None when idle."""
    last_success: float | None = None
    """When it last synced successfully; None if it never has."""
    last_error: str | None = None
    """What its last sync failed of, without secrets; None after a success."""
    failures: int = 0
    """Failures in a row."""
    syncs: Mapping[str, int] = attrs.field(factory=dict)
    """How many by result."""
    sync_seconds: Histogram = Histogram.empty(SYNC_SECONDS)
    latency_seconds: Histogram = Histogram.empty(LATENCY_SECONDS)
    """From a log's appearance to its first successful sync."""
    drains: DrainTally = DrainTally()
    held: frozenset[str] = frozenset()
    """Keys of the containers whose logs it does not have shipped, for what their pods ask for."""

    @property
    def synced(self) -> bool:
        """Whether it has ever synced successfully."""
        return self.last_success is not None

    def busy_seconds(self, now: float) -> float | None:
        """Return the age of the sync that goes on; None when idle."""
        return None if self.busy_since is None else now - self.busy_since

    @property
    def state(self) -> str:
        """``waiting`` (for others to leave its folders), ``failing``, ``busy``, ``ok`` or ``starting``."""
        if self.obstacle is not None or self.predecessor_since is not None:
            return "waiting"
        if self.failures:
            return "failing"
        if self.busy_since is not None:
            return "busy"
        return "ok" if self.synced else "starting"

    @property
    def trouble(self) -> str | None:
        """Why what it has written may be out of date."""
        if self.predecessor_since is not None:
            return "it waits: the one before it is still in the middle of a sync"
        if self.obstacle is not None:
            return f"it waits: another watcher is at work on {self.obstacle}"
        return None if self.last_error is None else f"its last sync failed: {self.last_error}"
