"""Counts durations in buckets: cheap to keep, and cumulative as Prometheus wants them when asked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import attrs

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
        """Give one that has counted nothing."""
        return cls(tuple(bounds), (0,) * (len(bounds) + 1))

    def with_new(self, seconds: float) -> Histogram:
        """Count one more."""
        at = bisect_left(self.bounds, seconds)
        counts = (*self.counts[:at], self.counts[at] + 1, *self.counts[at + 1 :])
        return Histogram(self.bounds, counts, self.sum + seconds)

    def cumulative(self) -> Iterator[tuple[str, int]]:
        """Give each bucket's upper bound, and how many did not exceed it."""
        total = 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            total += count
            yield bound, total
