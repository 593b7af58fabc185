"""Since when each container is known, and which pods the API has shown since the watcher began."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kube_log_watcher_core.models import Departed, Pods
from kube_log_watcher_core.resolve import Resolution


class Sightings:
    """Kept by the main thread; what it gives is never changed afterwards, so any thread may read it."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._pods: Pods | None = None
        self.first_seen: Mapping[str, float] = {}
        """By the containers' keys, in epoch seconds."""
        self.shown: frozenset[str] = frozenset()
        """Uids of pods that the API shows, or has shown while a container of theirs was there."""

    def note(self, resolution: Resolution, pods: Pods, departed: Iterable[Departed]) -> None:
        """Take what a pass has seen, and what still drains."""
        targets = [*resolution.targets, *(each.target for each in departed)]
        keys = {target.container.key for target in targets}
        keys.update(skip.container.key for skip in resolution.skipped)
        if keys != self.first_seen.keys():
            now, before = self._wall(), self.first_seen
            self.first_seen = {key: before.get(key, now) for key in keys}
        if pods is not self._pods:
            kept = {target.pod.uid for target in targets} & self.shown
            self.shown = frozenset(kept.union(pod.uid for pod in pods))
            self._pods = pods
