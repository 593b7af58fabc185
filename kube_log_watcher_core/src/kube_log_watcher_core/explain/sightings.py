"""Which pods the API has shown since the watcher began."""

from __future__ import annotations

from kube_log_watcher_core.models import Pods
from kube_log_watcher_core.reconcile import Pass


class Sightings:
    """Kept by the main thread; what it gives is never changed afterwards, so any thread may read it."""

    def __init__(self) -> None:
        self._pods: Pods | None = None
        self.shown: frozenset[str] = frozenset()
        """Uids of pods that the API shows, or has shown while a container of theirs was there."""

    def note(self, passed: Pass, pods: Pods) -> None:
        """Take what a pass has seen, and what still drains."""
        if pods is not self._pods:
            targets = [*passed.work.targets, *(each.target for each in passed.work.departed)]
            kept = {target.pod.uid for target in targets} & self.shown
            self.shown = frozenset(kept.union(pod.uid for pod in pods))
            self._pods = pods
