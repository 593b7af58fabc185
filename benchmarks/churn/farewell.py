"""How pods go: in the ways, and the orders, that were seen on a real node."""

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.churn.agenda import Clocks
from benchmarks.churn.events import Kind
from benchmarks.churn.pace import Pace
from benchmarks.churn.pods import LivePod, Writer
from kube_log_watcher_testing.fake_api import FakeApi
from kube_log_watcher_testing.fake_node import FakeNode

STOP_SECONDS = (0.3, 2.1)
"""How long a container writes on when it was told to stop."""
FILES_FIRST_SECONDS = 0.014
FILES_LAST_SECONDS = 0.11
"""On a normal deletion the files go so much before or after the API object."""


class Farewell:
    """Lets a pod go in one of three ways.

    Parameters
    ----------
    finish
        lets a container write a burst and end.
    left
        is told when a pod is deleted by force: the API has no object of it, and it still writes.
    gone
        is told when a pod's files are gone.
    """

    def __init__(
        self,
        node: FakeNode,
        api: FakeApi,
        *,
        clocks: Clocks,
        pace: Pace,
        rng: random.Random,
        note: Callable[[Kind, str], None],
        finish: Callable[[LivePod, Writer], None],
        left: Callable[[LivePod], None],
        gone: Callable[[LivePod], None],
    ) -> None:
        self._node = node
        self._api = api
        self._clocks = clocks
        self._linger = pace.linger
        self._rng = rng
        self._note = note
        self._finish = finish
        self._left = left
        self._gone = gone

    def bid(self, pod: LivePod) -> None:
        """Let it go."""
        self._rng.choice([self._delete, self.bid_by_force, self._complete])(pod)

    def bid_suddenly(self, pod: LivePod) -> None:
        """Let it write a burst, and remove its files at once: only in a calm."""
        pod.ending = True
        for writer in pod.writers:
            self._finish(pod, writer)
        self._note(Kind.SUDDEN, pod.facts.name)
        self._remove_files(pod)
        self._remove_object(pod)

    def _delete(self, pod: LivePod) -> None:
        """Delete it: a deletion time, a burst, then the files and the API object about together."""
        self._note(Kind.DELETED, pod.facts.name)
        pod.mark_deleted(self._api)

        def ended() -> None:
            pod.mark_ended(self._api, "Failed")
            self._clocks.shipping.after(self._linger, lambda: self._remove_both(pod))

        self._stop_soon(pod, ended)

    def bid_by_force(self, pod: LivePod) -> None:
        """Delete it by force: the API object goes, the container writes on, the files go later."""
        self._note(Kind.FORCED, pod.facts.name)
        self._remove_object(pod)
        self._left(pod)
        self._stop_soon(pod, lambda: self._remove_files_later(pod))

    def _complete(self, pod: LivePod) -> None:
        """Let it end by itself and be deleted at once: its files outlive its API object."""
        for writer in pod.writers:
            self._finish(pod, writer)
        self._note(Kind.COMPLETED, pod.facts.name)
        pod.mark_ended(self._api, "Succeeded")
        self._remove_object(pod)
        self._remove_files_later(pod)

    def _stop_soon(self, pod: LivePod, then: Callable[[], None]) -> None:
        def stop() -> None:
            for writer in pod.writers:
                self._finish(pod, writer)
            then()

        self._clocks.always.after(self._rng.uniform(*STOP_SECONDS), stop)

    def _remove_both(self, pod: LivePod) -> None:
        if self._rng.random() < 0.5:
            self._remove_object(pod)
            self._clocks.always.after(FILES_LAST_SECONDS, lambda: self._remove_files(pod))
        else:
            # The pod's successor comes when its files are gone, not sooner than its object.
            self._remove_files(pod)
            self._clocks.always.after(FILES_FIRST_SECONDS, lambda: self._remove_object(pod))

    def _remove_files_later(self, pod: LivePod) -> None:
        self._clocks.shipping.after(self._linger, lambda: self._remove_files(pod))

    def _remove_object(self, pod: LivePod) -> None:
        self._api.delete(pod.facts.namespace, pod.facts.name)

    def _remove_files(self, pod: LivePod) -> None:
        for writer in (*pod.ended, *pod.writers):
            self._node.remove(writer.files)
        self._gone(pod)
