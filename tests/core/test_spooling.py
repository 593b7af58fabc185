"""The daemon's side of the spool: what one pass after the other asks of agents and of the janitor."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import Container, Layout
from kube_log_watcher_core.agents import FolderLocks
from kube_log_watcher_core.loop.spooling import Spooling
from kube_log_watcher_core.models import Reason, Skipped, Work
from kube_log_watcher_core.resolve import Resolution
from kube_log_watcher_core.spool import LOOK_SECONDS, SegmentKey, SpoolRules
from kube_log_watcher_testing.factories import make_container, make_target
from support import wait_until

PASSES = 100
LOGS = 5


class Node:
    """Some logs, each rotated once, and the spool that has them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = 1000.0
        self.reads = 0
        self.done: frozenset[SegmentKey] = frozenset()
        (root / "spool").mkdir()
        self.spooling = Spooling(
            [root / "spool"],
            Work(),
            roots=[root],
            rules=SpoolRules(min_free_percent=0),
            locks=FolderLocks(),
            wall=lambda: self.now,
            clock=lambda: self.now,
            on_swept=lambda: None,
        )
        assert self.spooling.begin(Work)
        self.containers = tuple(self._container(number) for number in range(1, LOGS + 1))
        self.run_pass()
        for container in self.containers:
            self._rotate(container)
        self.containers = tuple(self._seen_now(container) for container in self.containers)

    def _container(self, number: int) -> Container:
        log = self.root / "pods" / f"default_pod-{number}_uid-{number}" / "main" / "0.log"
        log.parent.mkdir(parents=True)
        log.write_text("a line\n")
        made = make_container(number, pod=f"pod-{number}", layout=Layout.CRI, log_path=log)
        return self._seen_now(attrs.evolve(made, key=f"default/pod-{number}/uid-{number}/main/0"))

    def _seen_now(self, container: Container) -> Container:
        assert container.log_path is not None
        return attrs.evolve(container, inode=container.log_path.stat().st_ino)

    def _rotate(self, container: Container) -> None:
        assert container.log_path is not None
        container.log_path.rename(container.log_path.with_name("0.log.20261125-000000"))
        container.log_path.write_text("another line\n")

    def run_pass(self, *, unwanted: Sequence[str] = ()) -> None:
        """Do what a pass does."""
        going_on = self.spooling.keep(self.containers)
        targets = tuple(make_target(each) for each in going_on if each.key not in unwanted)
        skipped = tuple(Skipped(each, Reason.EXCLUDED) for each in going_on if each.key in unwanted)
        resolution = Resolution(targets, skipped, ())
        self.spooling.settle(resolution, ready=None, read=self._read)

    def _read(self) -> tuple[frozenset[SegmentKey], dict[SegmentKey, int]]:
        self.reads += 1
        return self.done, {}

    def segments(self) -> list[Path]:
        found = os.walk(self.root / "spool")  # unlike a glob, it minds no folder that goes meanwhile
        return [Path(parent, name) for parent, _, names in found for name in names if name.endswith(".log")]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path.resolve())
    yield made
    made.spooling.close(wait_seconds=30)


def test_of_passes_in_quick_succession_one_asks_about_what_is_closed(node: Node) -> None:
    node.now += LOOK_SECONDS
    reads, lists = node.reads, []
    for _ in range(PASSES):
        node.run_pass()
        lists.append(node.spooling.closed())
    assert node.reads == reads + 1
    assert {id(each) for each in lists} == {id(lists[0])}
    assert len(lists[0]) == LOGS
    node.now += LOOK_SECONDS
    node.run_pass()
    assert node.spooling.closed() is not lists[0]


def test_what_was_read_is_removed_at_the_next_look_and_what_is_unwanted_at_once(node: Node) -> None:
    node.now += LOOK_SECONDS
    node.run_pass()
    assert len(node.segments()) == 2 * LOGS
    first, last = node.containers[0].key, node.containers[-1].key
    node.done = frozenset((each.key, each.number) for each in node.spooling.closed() if each.key == first)

    def are_left(count: int) -> bool:
        node.run_pass(unwanted=[last])  # as the daemon does when the janitor wakes it
        return len(node.segments()) == count

    wait_until(lambda: are_left(2 * LOGS - 2), what="the end of the unwanted log")
    node.now += LOOK_SECONDS
    wait_until(lambda: are_left(2 * LOGS - 3), what="the end of what was read")
