"""The pod watch: a thread of its own around what `ListWatch` does in turns."""

from __future__ import annotations

import logging
import random as standard_random
import threading
import time
from collections.abc import Callable, Collection, Mapping

import attrs

from kube_log_watcher_core.kube.access import ApiAccess
from kube_log_watcher_core.kube.list_watch import ListWatch
from kube_log_watcher_core.kube.mailbox import Mailbox, Wait
from kube_log_watcher_core.kube.status import WatchStats, WatchStatus
from kube_log_watcher_core.kube.store import PodStore
from kube_log_watcher_core.kube.timing import Timing
from kube_log_watcher_core.models import Pod, Pods

logger = logging.getLogger(__name__)


class PodWatch:
    """Keeps the pods of this node, by one list and one watch, in a thread of its own.

    All methods can be called from any thread and return at once. `on_change` is called from the watch's
    thread, after a pod came, changed or went, and after the first complete list.
    """

    def __init__(
        self,
        access: ApiAccess,
        *,
        node_name: str | None,
        on_change: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        wait: Wait = threading.Condition.wait,
        random: Callable[[], float] = standard_random.random,
        timing: Timing | None = None,
    ) -> None:
        self._store = PodStore()
        self._mailbox = Mailbox(clock, wait)
        self._stats = WatchStats(clock)
        self._list_watch = ListWatch(
            access,
            node_name=node_name,
            on_change=on_change,
            mailbox=self._mailbox,
            store=self._store,
            stats=self._stats,
            timing=timing or Timing(),
            clock=clock,
            random=random,
        )
        self._thread = threading.Thread(target=self._run, name="pod-watch", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end, and free it if it waits for the API. Does not wait for it."""
        self._mailbox.stop()
        self._list_watch.cut()

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the thread's end; tell whether it came."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def want(self, pods: Collection[tuple[str, str]]) -> None:
        """Tell which pods (namespace, name) were found on disk, for when they must be asked for singly."""
        self._mailbox.want(pods)

    def ask_for_list(self) -> None:
        """Ask for one fresh list soon: a container's pod stays unknown, so the stream may be at fault.

        A wait after failures is not cut short by it. The list is not older than what is known, from the
        server's memory; where that brought nothing new, the next one asks for the newest state: a stale
        server could never show what is missed otherwise.
        """
        self._mailbox.ask_for_list()
        self._list_watch.cut("watch")

    @property
    def synced(self) -> bool:
        """Whether all pods were known at one moment at least."""
        return self._store.synced

    def pods(self) -> Pods:
        """Return all pods; the same object while nothing changes."""
        return self._store.pods()

    def take_gone(self) -> Mapping[str, Pod]:
        """Return, by uid, the last states of the pods that have left since the last call.

        To be called after `pods`: what leaves in between is then in both.
        """
        return self._store.take_gone()

    def status(self) -> WatchStatus:
        """Return how the watch is doing."""
        status = self._stats.status()
        return attrs.evolve(status, synced=self._store.synced, pods=len(self._store.pods()))

    def _run(self) -> None:
        while not self._mailbox.stopped:
            try:
                self._list_watch.turn()
            except Exception:  # the thread must not end: without it the node would go stale in silence
                logger.exception("The pod watch met an error that it does not know; it goes on")
                self._list_watch.wait_after_bug()
        self._list_watch.close()
        self._stats.enter("stopped")
