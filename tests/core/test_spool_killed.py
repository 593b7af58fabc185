"""Killed at any call that changes the spool: each file is linked once, in order, whatever happens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core.segments import WAITING, Place, place_of
from kube_log_watcher_core.spool.disk import SpoolDisk
from kube_log_watcher_core.spool.janitor import Chores, Janitor
from kube_log_watcher_core.spool.release import SpoolRules
from kube_log_watcher_core.spool.spool import Spool

KEY = "shop/web-0/u-1/main/0"
ID = "0123456789abcdef" * 4
NOTE = "its container, and its id"


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL; what is on the disk is all that is left."""


@attrs.define
class DeadlyDisk(SpoolDisk):
    """Dies before or after the n-th call that changes the disk."""

    last: int = -1
    after: bool = False
    calls: int = 0

    def _dies(self, *, after: bool) -> None:
        if self.calls == self.last and after == self.after:
            raise Killed
        self.calls += after

    def link(self, file: int, fd: int, name: str) -> None:
        self._dies(after=False)
        super().link(file, fd, name)
        self._dies(after=True)

    def write_note(self, fd: int, name: str, text: str) -> None:
        self._dies(after=False)
        super().write_note(fd, name, text)
        self._dies(after=True)

    def show(self, waiting: int, kept: str, fd: int, name: str) -> None:
        self._dies(after=False)
        super().show(waiting, kept, fd, name)
        self._dies(after=True)

    def remove(self, fd: int, name: str) -> None:
        self._dies(after=False)
        super().remove(fd, name)
        self._dies(after=True)

    def remove_folder(self, path: Path, name: str) -> None:
        self._dies(after=False)
        super().remove_folder(path, name)
        self._dies(after=True)


def ticks() -> Iterator[float]:
    now = 1000.0
    while True:
        yield now
        now += 1.0


@attrs.define
class Node:
    """A log that is rotated, and what its spool has shown."""

    root: Path
    written: int = 0
    named: dict[str, str] = attrs.field(factory=dict)
    """What was seen under each name: no name is ever of two files."""

    @property
    def log(self) -> Path:
        return self.root / "pods" / "main" / "0.log"

    def begin(self) -> None:
        self.log.parent.mkdir(parents=True)
        (self.root / "spool").mkdir()
        self.log.write_text(f"{self.written:03d}")

    def rotate(self) -> None:
        self.log.rename(self.log.with_name(f"0.log.20261124-{self.written:06d}"))
        self.written += 1
        self.log.write_text(f"{self.written:03d}")

    def links(self) -> list[str]:
        """Give what is linked, by its names' order: what waits and what is shown."""
        found = {}
        for path in (self.root / "spool").glob("*/*.[kl]*"):
            name = path.name.split(".")[-2]
            assert name not in found
            found[name] = path.read_text()
            assert self.named.setdefault(path.name, found[name]) == found[name]
        return [found[name] for name in sorted(found)]


def a_place() -> Place:
    place = place_of(namespace="shop", pod="web-0", pod_uid="u-1", container="main", container_id=ID)
    assert place is not None
    return place


def life(node: Node, disk: SpoolDisk) -> Spool:
    """Keep a log that rotates, show it, let the first segment go: as a whole process does."""
    wall = ticks()
    spool = Spool([node.root / "spool"], wall=lambda: next(wall), disk=disk)
    spool.load()
    spool.keep(KEY, node.log, note="its container")
    node.rotate()
    node.rotate()
    spool.keep(KEY, node.log)
    spool.note(KEY, NOTE)
    spool.show(KEY, a_place())
    node.rotate()
    spool.keep(KEY, node.log)
    return spool


def a_node(root: Path) -> Node:
    node = Node(root.resolve())
    node.begin()
    return node


def calls_of(root: Path) -> int:
    disk = DeadlyDisk()
    root.mkdir()
    life(a_node(root), disk)
    return disk.calls


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_each_call_that_links_or_shows_nothing_is_lost_or_doubled(
    tmp_path: Path, *, after: bool
) -> None:
    calls = calls_of(tmp_path / "whole")
    assert calls >= 10
    for call in range(calls):
        root = tmp_path / str(call)
        root.mkdir()
        node = a_node(root)
        with pytest.raises(Killed):
            life(node, DeadlyDisk(last=call, after=after))
        before = node.links()
        again = Spool([root.resolve() / "spool"], wall=lambda: 2000.0)
        again.load()
        if list((root / "spool" / WAITING).glob("*.kept")):
            (note,) = (log.note for log in again.left if not log.shown)
            assert note in {"its container", NOTE}, call
        again.keep(KEY, node.log)
        again.show(KEY, a_place())
        assert node.links() == [f"{number:03d}" for number in range(node.written + 1)], call
        assert node.links()[: len(before)] == before
        assert len(list((root / "spool").glob("*/*.log"))) == node.written + 1
        assert list((root / "spool" / WAITING).iterdir()) == []
        assert again.take_overdue(0) == ()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_while_it_removes_what_was_let_go_is_not_linked_again(tmp_path: Path, *, after: bool) -> None:
    for call in range(2):
        root = tmp_path / str(call)
        root.mkdir()
        node = a_node(root)
        log = life(node, SpoolDisk()).logs[KEY]
        done = frozenset((KEY, each.number) for each in log.segments[:2])
        with pytest.raises(Killed):
            Janitor(DeadlyDisk(last=call, after=after)).sweep(
                Chores(logs=(log,), done=done, rules=SpoolRules(min_free_percent=0))
            )
        before = node.links()
        again = Spool([root.resolve() / "spool"], wall=lambda: 2000.0)
        again.load()
        node.rotate()
        again.keep(KEY, node.log)
        assert node.links() == [*before, f"{node.written:03d}"]


def test_a_link_of_the_present_file_that_somebody_removed_is_made_again_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = a_node(tmp_path)
    spool = life(node, SpoolDisk())
    held = spool.logs[KEY]
    live = held.path(held.segments[-1])
    for path in live.parent.iterdir():
        path.unlink()
    live.parent.rmdir()
    spool.mend(KEY, node.log)
    assert os.listdir(live.parent) == [live.name]
    assert live.stat().st_ino == node.log.stat().st_ino
    assert [record.message for record in caplog.records] == [
        f"somebody has removed {live}: it is linked again"
    ]
    spool.mend(KEY, node.log)
    assert len(caplog.records) == 1


def test_a_file_that_somebody_put_under_a_segments_name_stays_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = a_node(tmp_path)
    spool = life(node, SpoolDisk())
    held = spool.logs[KEY]
    live = held.path(held.segments[-1])
    live.unlink()
    live.write_text("foreign")
    for _ in range(2):
        spool.mend(KEY, node.log)
    assert live.read_text() == "foreign"
    assert [record.message for record in caplog.records] == [
        f"{live} is a file of somebody else: move it away"
    ]


def test_a_spool_that_is_gone_is_told_once_with_the_remedy_and_mended_when_it_is_there_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = a_node(tmp_path)
    spool = life(node, SpoolDisk())
    held = spool.logs[KEY]
    live = held.path(held.segments[-1])
    (node.root / "spool").rename(node.root / "moved")
    for _ in range(2):
        spool.mend(KEY, node.log)
    assert len(caplog.records) == 1
    assert "create the folder" in caplog.text
    (node.root / "spool").mkdir()
    spool.mend(KEY, node.log)
    assert live.stat().st_ino == node.log.stat().st_ino


def test_what_nobody_knows_of_after_a_start_goes_after_its_time_and_a_pods_own_files_stay(
    tmp_path: Path,
) -> None:
    node = a_node(tmp_path)
    life(node, SpoolDisk())
    now = 5000.0
    spool = Spool([node.root / "spool"], wall=lambda: now)
    spool.load()
    now += 899
    assert spool.take_overdue(900) == ()
    now += 1
    left = spool.take_overdue(900)
    assert [len(log.segments) for log in left] == [4]
    assert spool.take_overdue(900) == ()
    node.log.unlink()
    Janitor().sweep(Chores(left=left))
    assert node.links() == ["000", "001", "002"]
    for path in node.log.parent.iterdir():
        path.unlink()
    Janitor().sweep(Chores(left=left))
    assert node.links() == []


def test_a_clock_that_is_set_moves_the_times_at_which_segments_closed(tmp_path: Path) -> None:
    spool = life(a_node(tmp_path), SpoolDisk())
    before = [each.closed for each in spool.logs[KEY].segments]
    spool.restate(3600.0)
    after = [each.closed for each in spool.logs[KEY].segments]
    assert after == [None if each is None else each + 3600.0 for each in before]
    assert after[-1] is None


def test_a_log_that_is_forgotten_and_kept_again_at_once_gets_numbers_that_it_never_had(
    tmp_path: Path,
) -> None:
    node = a_node(tmp_path)
    spool = Spool([node.root / "spool"], wall=lambda: 1000.0)
    for _ in range(20):
        spool.keep(KEY, node.log)
        node.rotate()
    used = {each.number for each in spool.keep(KEY, node.log).segments}
    spool.forget(KEY)
    again = spool.keep(KEY, node.log).segments
    assert min(each.number for each in again) > max(used)
