"""One look at the node: what is on disk, what the API says, and what follows."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Collection

from kube_log_watcher_core.discovery import Discovery
from kube_log_watcher_core.errors import DiscoveryError
from kube_log_watcher_core.kube.watch import PodWatch
from kube_log_watcher_core.loop.spooling import Spooling
from kube_log_watcher_core.models import Container, Work
from kube_log_watcher_core.reconcile import Pass, Reconciler, Timeouts
from kube_log_watcher_core.resolve import Rules

logger = logging.getLogger(__name__)


class NodePass:
    """Observes and reconciles, and holds on to what is known while either source is blind.

    Parameters
    ----------
    begin_anew
        reads what another watcher has left, for which this one has waited, and makes the reconciler of that.
    """

    def __init__(
        self,
        discovery: Discovery,
        pod_watch: PodWatch,
        reconciler: Reconciler,
        spooling: Spooling,
        *,
        begin_anew: Callable[[], tuple[Reconciler, Work]],
    ) -> None:
        self.spooling = spooling
        self.discovery = discovery
        self.pod_watch = pod_watch
        self.reconciler = reconciler
        self._begin_anew = begin_anew
        self._containers: tuple[Container, ...] | None = None
        self._trouble = ""
        # While nothing is reconciled, what is waited for would be overdue, and wake us for ever.
        self._looked = False
        self._ever_looked = False

    @property
    def trouble(self) -> str:
        """Why the containers can't be listed; empty while they can."""
        return self._trouble

    def look(
        self,
        rules: Rules,
        timeouts: Timeouts,
        *,
        full: bool,
        read: Collection[tuple[str, float]] = (),
        woken_at: float | None = None,
    ) -> Pass | None:
        """Return what follows from what is there; None while folders or API have never been seen whole.

        ``read`` are the drains that no agent waits for any more. What is new appeared at ``woken_at``.
        """
        self._looked = False
        self._discover(full=full)
        if self._containers is None or not self.spooling.begin(self._left_by_other):
            return None
        containers = self.spooling.keep(self._containers, full=full)
        self.pod_watch.want({(item.namespace, item.pod_name) for item in containers if item.pod_name})
        if not self.pod_watch.synced:
            return None
        reconcile = functools.partial(
            self.reconciler.reconcile,
            pods=self.pod_watch.pods(),
            rules=rules,
            timeouts=timeouts,
            gone=self.pod_watch.take_gone(),
            read=read,
            appeared_at=woken_at if self._ever_looked else None,
            full=full,
        )
        passed = reconcile(containers)
        if self.spooling.keeper.is_wanted_again(passed.resolution.targets):
            passed = passed.followed_by(reconcile(self.spooling.keep(self._containers)))
        self._looked = self._ever_looked = True
        if self.reconciler.wants_fresh_list:
            self.pod_watch.ask_for_list()
        return passed

    def next_deadline(self, now: float) -> float | None:
        """Return when to look again although nothing hints at it."""
        polls = [self.discovery.poll_seconds(), self.spooling.seconds_to_look()]
        deadlines = [now + poll for poll in polls if poll is not None]
        if self._looked and (deadline := self.reconciler.next_deadline()) is not None:
            deadlines.append(deadline)
        return min(deadlines, default=None)

    def _left_by_other(self) -> Work:
        self.reconciler, left = self._begin_anew()
        return left

    def _discover(self, *, full: bool) -> None:
        look = self.discovery.scan if full or self._containers is None else self.discovery.collect
        try:
            self._containers = look()
        except DiscoveryError as error:
            if str(error) != self._trouble:
                text = "the containers can't be listed, what is configured stays: %s"
                logger.error(text, error, extra={"event": "node-unreadable"})  # noqa: TRY400
            self._trouble = str(error)
        else:
            if self._trouble:
                logger.info("the containers can be listed again", extra={"event": "node-readable"})
            self._trouble = ""
