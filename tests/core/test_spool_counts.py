"""However many segments there are, and however often logs are rotated: bounded work, nothing remembered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core.models import Container, Layout, LogTarget
from kube_log_watcher_core.resolve import Rules
from kube_log_watcher_core.resolve.target import make_target
from kube_log_watcher_core.spool import (
    LOOK_SECONDS,
    Janitor,
    Spool,
    SpoolKeeper,
    SpoolRules,
    seconds_between_looks,
)
from kube_log_watcher_core.spool.disk import Found, SpoolDisk
from kube_log_watcher_testing.factories import NODE, container_id, make_pod

pytestmark = pytest.mark.timeout(120)
ROOMY = SpoolRules(seconds=900.0, min_free_percent=0)
FILES = 100
"""Closed segments of each log."""


def fixed_clock() -> float:
    return 1_800_000_000.0


@attrs.define
class CountingDisk(SpoolDisk):
    """Counts what the spool asks the disk for: each is a few system calls."""

    calls: dict[str, int] = attrs.field(factory=dict)

    def _count(self, name: str, times: int = 1) -> None:
        self.calls[name] = self.calls.get(name, 0) + times

    def found(self, fd: int, names: Sequence[str]) -> list[Found]:
        self._count("look", len(names))
        return super().found(fd, names)

    def entries(self, path: Path) -> list[tuple[str, int]]:
        self._count("list")
        return super().entries(path)

    def link(self, file: int, fd: int, name: str) -> None:
        self._count("link")
        super().link(file, fd, name)

    def remove(self, fd: int, name: str) -> None:
        self._count("remove")
        super().remove(fd, name)

    def taken(self) -> dict[str, int]:
        """Give what was counted since the last time."""
        calls, self.calls = self.calls, {}
        return calls


class Node:
    """Logs that are rotated, and the part of the watcher that keeps them."""

    def __init__(self, root: Path, logs: int) -> None:
        self.spool = root / "spool"
        self.spool.mkdir()
        self.paths = []
        for number in range(logs):
            path = root / f"default_pod-{number}_uid-{number}" / "main" / "0.log"
            path.parent.mkdir(parents=True)
            path.touch()
            self.paths.append(path)
        self.disk = CountingDisk()
        self.keeper = SpoolKeeper(
            Spool([self.spool], wall=fixed_clock, disk=self.disk),
            (),
            roots=[root],
            wall=fixed_clock,
            clock=fixed_clock,
            rules=ROOMY,
        )
        self.containers = tuple(self._container(number) for number in range(logs))

    def _container(self, number: int) -> Container:
        path = self.paths[number]
        return Container(
            key=f"default/pod-{number}/uid-{number}/main/0",
            id=container_id(number),
            layout=Layout.CRI,
            name="main",
            pod_name=f"pod-{number}",
            namespace="default",
            pod_uid=f"uid-{number}",
            log_path=path,
            inode=path.stat().st_ino if path.exists() else None,
        )

    def rotate(self, number: int, *, file: int, keep: int) -> None:
        """Let a log go on, of which the runtime keeps so many files."""
        path = self.paths[number]
        path.rename(f"{path}.20261124-{file:06d}")
        path.touch()
        Path(f"{path}.20261124-{file - keep:06d}").unlink(missing_ok=True)
        before, after = self.containers[:number], self.containers[number + 1 :]
        self.containers = (*before, self._container(number), *after)

    def look(self) -> None:
        """Do a pass."""
        targets = [self._target(each) for each in self.keeper.keep(self.containers)]
        self.keeper.settle(targets, (), ready=None)

    def sweep(self, *, done: frozenset[tuple[str, int]] = frozenset()) -> None:
        """Let the janitor look at all that is closed, as it does once in a while."""
        chores = self.keeper.chores(done, {})
        if chores is not None:
            self.keeper.swept(Janitor(self.disk).sweep(chores))

    @staticmethod
    def _target(container: Container) -> LogTarget:
        return make_target(container.id or "", container, make_pod(container), Rules(node=NODE))

    def segments(self) -> list[int]:
        """Give how many segments are known of each log."""
        return [len(log.segments) for log in self.keeper.logs.values()]


def test_a_log_that_is_rotated_a_thousand_times_costs_the_same_each_time(tmp_path: Path) -> None:
    node = Node(tmp_path.resolve(), 1)
    node.look()
    costs = []
    for file in range(1, 1001):
        node.rotate(0, file=file, keep=4)
        node.disk.taken()
        node.look()
        costs.append(node.disk.taken())
    assert {(each["list"], each["link"]) for each in costs} == {(1, 1)}
    assert max(each.get("look", 0) for each in costs[1:]) == 0
    assert node.segments() == [1001]
    (log,) = node.keeper.logs.values()
    assert len(log.seen) <= 5
    numbers = [each.number for each in log.segments]
    assert numbers == list(range(numbers[0], numbers[0] + 1001))


def crowd(root: Path, logs: int) -> Node:
    """Give a node with logs of each of which a hundred segments are closed, and no shipper has read them."""
    node = Node(root.resolve(), logs)
    node.look()
    for file in range(1, FILES + 1):
        for number in range(logs):
            node.rotate(number, file=file, keep=1)
        node.look()
    assert node.segments() == [FILES + 1] * logs
    node.disk.taken()
    return node


def test_a_pass_costs_what_has_changed_and_a_look_one_call_a_segment_of_ten_thousand(tmp_path: Path) -> None:
    node = crowd(tmp_path, 100)
    for each in range(250):
        node.rotate(each % 100, file=FILES + 1 + each, keep=1)
        node.look()
    calls = node.disk.taken()
    assert (calls["list"], calls["link"], calls.get("look", 0)) == (250, 250, 0)
    closed = len(node.keeper.closed())
    assert closed == 100 * FILES + 250
    node.sweep()
    assert node.disk.taken() == {"look": closed}
    assert seconds_between_looks(closed) > 10 * LOOK_SECONDS


def test_nothing_is_remembered_of_logs_that_are_read_and_gone(tmp_path: Path) -> None:
    node = crowd(tmp_path, 10)
    for path in node.paths:
        for each in path.parent.iterdir():
            each.unlink()
        path.parent.rmdir()
    node.containers = ()
    node.look()
    every = frozenset((log.key, each.number) for log in node.keeper.logs.values() for each in log.segments)
    node.sweep(done=every)
    assert node.disk.taken()["remove"] == len(every) == 10 * (FILES + 1)
    assert not node.keeper.logs
    assert node.keeper.keep(()) == ()
    assert node.keeper.seconds_to_look() is None
    assert not list(node.spool.glob("*_*"))
