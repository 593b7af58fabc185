"""One look at the node: what is on disk, what the API says, and what follows."""

from __future__ import annotations

import logging

from kube_log_watcher_core.discovery import Discovery
from kube_log_watcher_core.errors import DiscoveryError
from kube_log_watcher_core.kube import PodWatch
from kube_log_watcher_core.models import Container
from kube_log_watcher_core.reconcile import Memory
from kube_log_watcher_core.resolve import Resolution, Rules

logger = logging.getLogger(__name__)


class NodePass:
    """Observes and resolves, and holds on to what is known while either source is blind."""

    def __init__(self, discovery: Discovery, pod_watch: PodWatch, memory: Memory) -> None:
        self.discovery = discovery
        self.pod_watch = pod_watch
        self.memory = memory
        self._containers: tuple[Container, ...] | None = None
        self._trouble = ""

    def look(self, rules: Rules, *, full: bool, now: float) -> Resolution | None:
        """Give the node's targets; None while the folders or the API have never been seen whole."""
        self._discover(full=full)
        if self._containers is None:
            return None
        self.pod_watch.want({(item.namespace, item.pod_name) for item in self._containers if item.pod_name})
        if not self.pod_watch.synced:
            return None
        resolution = self.memory.reconcile(self._containers, self.pod_watch.pods(), rules=rules, now=now)
        if self.memory.wants_fresh_list:
            self.pod_watch.refresh()
        return resolution

    def _discover(self, *, full: bool) -> None:
        look = self.discovery.scan if full or self._containers is None else self.discovery.collect
        try:
            self._containers = look()
        except DiscoveryError as error:
            if str(error) != self._trouble:
                logger.error("the containers can't be listed, what is configured stays: %s", error)  # noqa: TRY400
            self._trouble = str(error)
        else:
            if self._trouble:
                logger.info("the containers can be listed again")
            self._trouble = ""
