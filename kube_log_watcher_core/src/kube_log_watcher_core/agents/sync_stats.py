"""What one agent's syncs come to: how many, how long, and how soon new logs are followed.

The metrics of syncs are counted here, and read by ``observe.metrics``.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import attrs

from kube_log_watcher_core.models import LogTarget

LATENCY_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds for the time to follow a new log: the aims are 0.02 and 0.1 s."""
SYNC_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Upper bounds for one sync: beyond the last one it counts as hanging."""


@attrs.frozen
class Histogram:
    """What was counted up to one moment."""

    bounds: tuple[float, ...]
    """Upper bounds in seconds, without the infinite one."""
    counts: tuple[int, ...]
    """How many fell into each bucket alone; the last one is beyond all bounds."""
    sum: float = 0.0

    @classmethod
    def empty(cls, bounds: Sequence[float]) -> Histogram:
        """Return one that has counted nothing."""
        return cls(tuple(bounds), (0,) * (len(bounds) + 1))

    def with_new(self, seconds: float) -> Histogram:
        """Count one more."""
        at = bisect_left(self.bounds, seconds)
        counts = (*self.counts[:at], self.counts[at] + 1, *self.counts[at + 1 :])
        return Histogram(self.bounds, counts, self.sum + seconds)

    def cumulative(self) -> Iterator[tuple[str, int]]:
        """Yield each bucket's upper bound, and how many did not exceed it."""
        total = 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            total += count
            yield bound, total


class SyncStats:
    """Kept by the agent's thread, told of new logs by the main thread, read by any."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._awaited: dict[str, float] = {}
        self._syncs: Counter[str] = Counter()
        self.durations = Histogram.empty(SYNC_SECONDS)
        self.latencies = Histogram.empty(LATENCY_SECONDS)

    @property
    def syncs(self) -> Mapping[str, int]:
        """How many by result."""
        with self._lock:
            return dict(self._syncs)

    def expect(self, new: Mapping[str, float], present: Collection[str]) -> None:
        """Wait for new logs, by their keys since when; those that are not present any more are forgotten."""
        with self._lock:
            if new or self._awaited:
                self._awaited = {key: at for key, at in self._awaited.items() if key in present} | dict(new)

    def forget(self) -> None:
        """Wait for no log any more: another watcher took care of those so far."""
        with self._lock:
            self._awaited.clear()

    @contextmanager
    def sync(self) -> Iterator[None]:
        """Count and measure one sync."""
        began, result = self._clock(), "failure"
        try:
            yield
            result = "success"
        finally:
            with self._lock:
                self._syncs[result] += 1
                self.durations = self.durations.with_new(self._clock() - began)

    def synced(self, targets: Collection[LogTarget]) -> None:
        """Note that these are followed from now on."""
        if not self._awaited:
            return
        now, keys = self._clock(), {target.container.key for target in targets}
        with self._lock:
            for key in self._awaited.keys() & keys:
                self.latencies = self.latencies.with_new(now - self._awaited.pop(key))
