"""How much to measure."""

from __future__ import annotations

import attrs

from kube_log_watcher_core import Layout


@attrs.frozen
class Plan:
    """Sizes and lengths of all measurements. Durations are in seconds."""

    sizes: tuple[int, ...] = (10, 100, 1000)
    """Numbers of containers on the node, ascending."""
    layouts: tuple[Layout, ...] = (Layout.DOCKER, Layout.CRI)
    latencies: int = 100
    """First changes after quiet, for each size and layout."""
    burst: int = 30
    idle_seconds: float = 60.0
    passes: int = 20
    """Full passes that change nothing."""
    changes: int = 10
    starts: int = 5
    flat_changes: int = 10_000
    pod_events: int = 200
    syncs: int = 30
    """Of an agent by itself."""
    quiet_seconds: float = 0.65
    """Longer than what the watcher takes for a burst's end."""
    settled_seconds: float = 1.4
    """The state file is written at most once a second: by then it is."""

    @property
    def largest(self) -> int:
        """The largest number of containers."""
        return self.sizes[-1]

    @property
    def middle(self) -> int:
        """A usual number of containers: the one before the largest."""
        return self.sizes[-2] if len(self.sizes) > 1 else self.largest


FULL = Plan()
QUICK = Plan(latencies=20, idle_seconds=10.0, passes=5, changes=4, starts=2, flat_changes=1000, pod_events=50)
