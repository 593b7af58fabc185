"""The logs of the churned node: written line by line, rotated, and ended with a burst."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from benchmarks.churn.agenda import Clocks
from benchmarks.churn.events import Kind
from benchmarks.churn.ledger import Ledger
from benchmarks.churn.lines import text_of
from benchmarks.churn.pace import Pace
from benchmarks.churn.pods import LivePod, Writer
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_node import FakeNode

BURST = 150
"""Lines that a container writes at once right before it ends."""


class Logs:
    """Writes and rotates logs by the ledger; ``note`` is told of each event, with the pod's name."""

    def __init__(
        self,
        node: FakeNode,
        *,
        ledger: Ledger,
        clocks: Clocks,
        pace: Pace,
        rng: random.Random,
        note: Callable[[Kind, str], None],
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._clocks = clocks
        self._pace = pace
        self._rng = rng
        self._note = note

    def write(self, pods: Iterable[LivePod]) -> None:
        """Let all containers write what is due."""
        for pod in pods:
            for writer in pod.writers:
                if writer.writing:
                    self._write(pod, writer)

    def _write(self, pod: LivePod, writer: Writer, *, more: int = 0) -> None:
        due = int((self._clocks.always.now - writer.started) * writer.rate) + more
        version = pod.labels.get("version", "none")
        lines = [
            text_of(self._ledger.write(writer.run), version=version)
            for _ in range(due - len(writer.run.written))
        ]
        if lines:
            self._node.write(writer.files, *lines)

    def finish(self, pod: LivePod, writer: Writer) -> None:
        """Write a burst and end."""
        if writer.writing:
            self._write(pod, writer, more=BURST)
            writer.writing = False
            self._note(Kind.ENDED, pod.facts.name)
            self._node.stop(writer.files)

    def rotate_later(self, pod: LivePod, writer: Writer) -> None:
        """Rotate a log again and again while it is written, the first time after a while.

        Only one that the shipper follows: one that is rotated before is followed from its next file on.
        """
        seconds = self._rng.uniform(*self._pace.rotation)
        self._clocks.shipping.after(seconds, lambda: self._rotate_again(pod, writer))

    def _rotate_again(self, pod: LivePod, writer: Writer) -> None:
        if writer.writing:
            due = writer.rotated + self._pace.rotation[0] - self._clocks.shipping.now
            due = max(due, pod.not_before - self._clocks.following.now)
            if due <= 0:
                docker = self._node.layout is Layout.DOCKER
                self._rotate(pod, writer, Kind.ROTATED_DOCKER if docker else Kind.ROTATED_KUBELET)
                self.rotate_later(pod, writer)
            else:
                self._clocks.shipping.after(min(due, 1.0), lambda: self._rotate_again(pod, writer))

    def rotate_while_down(self, pods: Iterable[LivePod]) -> None:
        """Rotate, once while the shipper is down, each log of which it can have read what came before."""
        for pod in pods:
            for writer in pod.writers:
                since = self._clocks.shipping.now - writer.rotated
                known = self._clocks.following.now >= pod.not_before
                if writer.writing and known and since >= self._pace.come_round:
                    self._rotate(pod, writer, Kind.ROTATED_WHILE_DOWN)

    def _rotate(self, pod: LivePod, writer: Writer, kind: Kind) -> None:
        self._write(pod, writer)
        self._node.rotate(writer.files)
        writer.rotated = self._clocks.shipping.now
        self._note(kind, pod.facts.name)
