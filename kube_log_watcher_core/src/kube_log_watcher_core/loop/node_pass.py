"""One look at the node: what is on disk, what the API says, and what follows."""

from __future__ import annotations

import logging

from kube_log_watcher_core.discovery import Discovery
from kube_log_watcher_core.errors import DiscoveryError
from kube_log_watcher_core.kube import PodWatch
from kube_log_watcher_core.loop.sizes import Sizes
from kube_log_watcher_core.models import Container
from kube_log_watcher_core.reconcile import Memory, Patience
from kube_log_watcher_core.resolve import Resolution, Rules

logger = logging.getLogger(__name__)


class NodePass:
    """Observes and resolves, and holds on to what is known while either source is blind."""

    def __init__(self, discovery: Discovery, pod_watch: PodWatch, memory: Memory) -> None:
        self.discovery = discovery
        self.pod_watch = pod_watch
        self.memory = memory
        self._containers: tuple[Container, ...] | None = None
        self._sizes = Sizes()
        self._trouble = ""
        # While nothing is reconciled, what the memory waits for would be overdue, and wake us for ever.
        self._looked = False

    def look(self, rules: Rules, patience: Patience, *, full: bool) -> Resolution | None:
        """Give the node's targets; None while the folders or the API have never been seen whole."""
        self._looked = False
        self._discover(full=full)
        if self._containers is None:
            return None
        self.pod_watch.want({(item.namespace, item.pod_name) for item in self._containers if item.pod_name})
        if not self.pod_watch.synced:
            return None
        pods = self.pod_watch.pods()
        resolution = self.memory.reconcile(
            self._containers,
            pods,
            rules=rules,
            patience=patience,
            sizes=self._sizes.seen,
            gone=self.pod_watch.take_gone(),
        )
        self._looked = True
        self._sizes.look(resolution.targets, all_of_them=full)
        if self.memory.wants_fresh_list:
            self.pod_watch.ask_for_list()
        return resolution

    def next_deadline(self, now: float) -> float | None:
        """Tell when to look again although nothing hints at it."""
        polls = [self.discovery.poll_seconds(), self._sizes.poll_seconds()]
        deadlines = [now + poll for poll in polls if poll is not None]
        if self._looked and (deadline := self.memory.next_deadline()) is not None:
            deadlines.append(deadline)
        return min(deadlines, default=None)

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
