"""What one reconciliation hands on to the next: decisions that stay, and what is waited for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from kube_log_watcher_core.models import Container, LogTarget, Pod, Pods, Reason, Work
from kube_log_watcher_core.reconcile.departures import Departures
from kube_log_watcher_core.reconcile.drain import DrainRules
from kube_log_watcher_core.reconcile.gone import GonePods
from kube_log_watcher_core.reconcile.waiting import FreshLists, Waiting
from kube_log_watcher_core.resolve import Known, Resolution, Rules, owns, resolve, shown_pod_of


@attrs.frozen
class Patience:
    """How long to wait for what."""

    gate_seconds: float = 30.0
    """For a pod's metadata, and for a container's id: its link comes within 1 s, its status within 2 s."""
    drain: DrainRules = attrs.field(factory=DrainRules)


class Memory:
    """Resolves again and again, with the last targets in mind.

    Parameters
    ----------
    work
        what an earlier process handed to its agents.
    clock
        a monotonic clock, for waiting.
    wall
        seconds since the epoch, for what outlives the process.
    """

    def __init__(self, work: Work, *, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._clock = clock
        self._wall = wall
        self._targets = {target.container.key: target for target in work.targets}
        self._followed: Mapping[str, LogTarget] = dict(self._targets)
        self._rules: Rules | None = None
        self._uids_agree = any(owns(target.pod, target.container) for target in work.targets)
        self._waiting = Waiting()
        self._lists = FreshLists()
        self._gone = GonePods()
        self._departures = Departures(work.departed)
        self._patience = Patience()
        self.work = work
        """What agents are to be handed now."""
        self.wants_fresh_list = False
        """A pod has been unknown for so long that the watch is doubted."""

    def reconcile(
        self,
        containers: Sequence[Container],
        pods: Pods,
        *,
        rules: Rules,
        patience: Patience,
        sizes: Mapping[str, int],
        gone: Mapping[str, Pod] | None = None,
    ) -> Resolution:
        """Give each container a target or a reason.

        ``sizes`` are those of the logs when seen last, ``gone`` the last states of pods that have just
        left the API, by uid.
        """
        now, self._patience = self._clock(), patience
        waited = self._waiting.over(patience.gate_seconds, now)
        # What was followed longer ago is still known, and was perhaps made by other rules.
        same_rules = rules == self._rules
        current = self._followed.keys() if same_rules else frozenset[str]()
        self._uids_agree = self._uids_agree or _is_any_known(containers, pods)
        known = Known(
            self._targets,
            current=current,
            gone=self._gone.update(gone or {}, containers),
            waited=waited,
            names_decide=not self._uids_agree,
        )
        resolution = resolve(containers, pods, rules, known)
        self._waiting.update(
            _keys(resolution, Reason.POD_AWAITED, Reason.POD_UNKNOWN, Reason.ID_UNKNOWN), now
        )
        self.wants_fresh_list = self._lists.due(
            _keys(resolution, Reason.POD_AWAITED, Reason.POD_UNKNOWN), now
        )
        self._remember({each.key: each for each in containers}, resolution, rules, sizes)
        self._renew_drains(pods, rules, known, same_rules=same_rules)
        return resolution

    def _renew_drains(self, pods: Pods, rules: Rules, known: Known, *, same_rules: bool) -> None:
        """Let the logs that drain have their pods' latest states: a rule for the shipper may be in it."""
        if not self.work.departed:
            return
        targets = {each.target.container.key: each.target for each in self.work.departed}
        current = targets.keys() if same_rules else frozenset[str]()
        containers = [target.container for target in targets.values()]
        renewed = resolve(containers, pods, rules, attrs.evolve(known, targets=targets, current=current))
        # A state file may say that a log that is gone had the id of one that is there.
        taken = {target.id for target in self.work.targets}
        left = {target.container.key: target for target in renewed.targets if target.id not in taken}
        departed = self._departures.renew(left)
        self.work = attrs.evolve(self.work, departed=departed)

    def _remember(
        self,
        containers: Mapping[str, Container],
        resolution: Resolution,
        rules: Rules,
        sizes: Mapping[str, int],
    ) -> None:
        made = {target.container.key: target for target in resolution.targets}
        departed = self._departures.update(
            self._followed, containers, made.keys(), rules=self._patience.drain, sizes=sizes, now=self._wall()
        )
        # A container that is skipped for a moment, or drains, keeps the pod and the id that it had.
        draining = {each.target.container.key for each in departed}
        kept = (containers.keys() | draining) & (self._targets.keys() - made.keys())
        self._targets = made | {key: self._targets[key] for key in kept}
        self._followed, self._rules = made, rules
        self.work = Work(resolution.targets, departed)

    def finished(self, keys: frozenset[str]) -> None:
        """Forget the drains that every agent has finished with."""
        if keys:
            self._departures.finished(keys)
            departed = tuple(each for each in self.work.departed if each.target.container.key not in keys)
            self.work = attrs.evolve(self.work, departed=departed)

    def next_deadline(self) -> float | None:
        """Tell when to reconcile again although nothing has changed, by the monotonic clock."""
        now = self._clock()
        look = self._departures.seconds_to_look(self._patience.drain, self._wall())
        deadlines = (
            self._waiting.next_deadline(self._patience.gate_seconds, now),
            self._lists.next_deadline(),
            None if look is None else now + look,
        )
        return min((at for at in deadlines if at is not None), default=None)


def _is_any_known(containers: Sequence[Container], pods: Pods) -> bool:
    """Tell whether the API shows the pod of any folder by its uid."""
    return any(each.pod_uid and shown_pod_of(each, pods) is not None for each in containers)


def _keys(resolution: Resolution, *reasons: Reason) -> list[str]:
    return [skip.container.key for skip in resolution.skipped if skip.reason in reasons]
