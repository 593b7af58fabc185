"""What one agent's syncs come to: how many, how long, and how soon new logs are followed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from kube_log_watcher_core.models import LogTarget
from kube_log_watcher_core.observe.histogram import LATENCY_SECONDS, SYNC_SECONDS, Histogram


class SyncAccount:
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
