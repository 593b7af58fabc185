"""What one reconciliation hands on to the next: decisions that stay, and what is waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kube_log_watcher_core.models import Container, LogTarget, Pods, Reason
from kube_log_watcher_core.reconcile.waiting import PodsNotSeen, Waiting
from kube_log_watcher_core.resolve import Known, Resolution, Rules, resolve

ID_SECONDS = 30.0
"""How long a container's id is waited for: its link comes within 1 s, its status within 2 s."""


class Memory:
    """Resolves again and again, with the last targets in mind."""

    def __init__(self, targets: Mapping[str, LogTarget] | None = None) -> None:
        self._targets = dict(targets or {})
        self._rules: Rules | None = None
        self._ids = Waiting(ID_SECONDS)
        self._pods = PodsNotSeen()
        self.wants_fresh_list = False
        """A pod has been unknown for so long that the watch is doubted."""

    def reconcile(
        self, containers: Sequence[Container], pods: Pods, *, rules: Rules, now: float
    ) -> Resolution:
        """Give each container a target or a reason; ``now`` in seconds of a monotonic clock."""
        known = Known(self._targets, same_rules=rules == self._rules, waited=self._ids.over(now))
        resolution = resolve(containers, pods, rules, known)
        self._remember(containers, resolution, rules)
        self._ids.update(_keys(resolution, Reason.ID_UNKNOWN), now)
        self.wants_fresh_list = self._pods.due(_keys(resolution, Reason.POD_UNKNOWN), now)
        return resolution

    def _remember(self, containers: Sequence[Container], resolution: Resolution, rules: Rules) -> None:
        made = {target.container.key: target for target in resolution.targets}
        # A container that is skipped for a moment keeps the pod and the id that it had.
        kept = {container.key for container in containers} & self._targets.keys() - made.keys()
        self._targets = made | {key: self._targets[key] for key in kept}
        # Those kept were not made anew, so under other rules they must not be taken as they are.
        self._rules = rules if not kept else None

    def next_deadline(self, now: float) -> float | None:
        """Tell when to reconcile again although nothing has changed."""
        deadlines = (self._ids.next_deadline(now), self._pods.next_deadline())
        return min((at for at in deadlines if at is not None), default=None)


def _keys(resolution: Resolution, reason: Reason) -> list[str]:
    return [skip.container.key for skip in resolution.skipped if skip.reason is reason]
