"""Links are made for each file that a log has, in order, once and for good."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core.segments import WAITING, Place, place_of
from kube_log_watcher_core.spool.disk import SpoolDisk
from kube_log_watcher_core.spool.spool import CannotSpool, Spool
from kube_log_watcher_core.spool.spooled import Spooled

ID = "0123456789abcdef" * 4
KEY = "shop/web-0/u-1/main/0"


def fixed_wall() -> float:
    return 1000.0


@attrs.define
class Node:
    """A container's folder, and a spool beside it."""

    root: Path
    rotations: int = 0

    @property
    def log(self) -> Path:
        return self.root / "pods" / "shop_web-0_u-1" / "main" / "0.log"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    def rotate(self) -> Path:
        """Do as the kubelet does; give the name of the rotated file."""
        self.rotations += 1
        rotated = self.log.with_name(f"0.log.20261124-{self.rotations:06d}")
        self.log.rename(rotated)
        self.log.write_text(f"file {self.rotations}\n")
        return rotated

    def shown(self) -> list[str]:
        return [path.read_text() for path in sorted(self.spool.glob("*/*.log"))]

    def waiting(self) -> list[str]:
        return [path.read_text() for path in sorted((self.spool / WAITING).glob("*"))]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = Node(tmp_path.resolve())
    node.log.parent.mkdir(parents=True)
    node.spool.mkdir()
    node.log.write_text("file 0\n")
    return node


def a_place(container_id: str = ID) -> Place:
    place = place_of(
        namespace="shop", pod="web-0", pod_uid="u-1", container="main", container_id=container_id
    )
    assert place is not None
    return place


def a_spool(node: Node, disk: SpoolDisk | None = None) -> Spool:
    spool = Spool([node.spool], wall=fixed_wall, disk=disk)
    spool.load()
    return spool


def keep(spool: Spool, node: Node) -> Spooled:
    return spool.keep(KEY, node.log)


def test_a_log_waits_out_of_sight_until_it_is_shown(node: Node) -> None:
    spool = a_spool(node)
    spool.keep(KEY, node.log)
    node.rotate()
    keep(spool, node)
    assert (node.shown(), node.waiting()) == ([], ["file 0\n", "file 1\n"])
    assert not list(node.spool.rglob("*.log"))
    spool.show(KEY, a_place())
    assert (node.shown(), node.waiting()) == (["file 0\n", "file 1\n"], [])


def test_each_rotation_adds_a_segment_and_closes_the_one_before(node: Node) -> None:
    spool = a_spool(node)
    keep(spool, node)
    spool.show(KEY, a_place())
    for _ in range(3):
        node.rotate()
        keep(spool, node)
    held = keep(spool, node)
    assert node.shown() == ["file 0\n", "file 1\n", "file 2\n", "file 3\n"]
    assert [(each.number, each.closed) for each in held.segments] == [
        (1000, 1000.0),
        (1001, 1000.0),
        (1002, 1000.0),
        (1003, None),
    ]
    assert held.is_live(node.log.stat().st_ino)


def test_rotated_files_that_are_there_at_first_become_segments_too(node: Node) -> None:
    node.rotate()
    node.rotate()
    spool = a_spool(node)
    keep(spool, node)
    spool.show(KEY, a_place())
    assert node.shown() == ["file 0\n", "file 1\n", "file 2\n"]


def test_what_was_read_and_removed_is_not_linked_again(node: Node) -> None:
    spool = a_spool(node)
    keep(spool, node)
    spool.show(KEY, a_place())
    node.rotate()
    held = keep(spool, node)
    held.path(held.segments[0]).unlink()
    spool.released(KEY, {1000})
    keep(spool, node)
    assert node.shown() == ["file 1\n"]
    assert keep(a_spool(node), node).segments == keep(spool, node).segments


def test_after_a_restart_the_folder_is_the_memory(node: Node) -> None:
    spool = a_spool(node)
    keep(spool, node)
    spool.show(KEY, a_place())
    node.rotate()
    keep(spool, node)
    node.rotate()
    node.rotate()
    again = a_spool(node)
    held = keep(again, node)
    assert node.shown() == ["file 0\n", "file 1\n", "file 2\n", "file 3\n"]
    assert [each.number for each in held.segments] == [1000, 1001, 1002, 1003]
    assert held.shown
    assert again.take_overdue(0) == ()


def test_what_waits_survives_a_restart(node: Node) -> None:
    a_spool(node).keep(KEY, node.log)
    node.rotate().unlink()
    again = a_spool(node)
    held = keep(again, node)
    assert not held.shown
    again.show(KEY, a_place())
    assert node.shown() == ["file 0\n", "file 1\n"]


def test_a_shipper_without_an_account_has_its_time_from_when_it_sees_what_has_waited(node: Node) -> None:
    now = 1000.0
    spool = Spool([node.spool], wall=lambda: now)
    keep(spool, node)
    node.rotate()
    keep(spool, node)
    spool.close(KEY)
    now += 800
    spool.show(KEY, a_place())
    assert [each.closed for each in spool.logs[KEY].segments] == [now, now]


@attrs.define
class NoNotes(SpoolDisk):
    """Has no room for what is noted."""

    def write_note(self, fd: int, name: str, text: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_note_that_can_not_be_written_anew_stays_as_it_was(node: Node) -> None:
    a_spool(node).keep(KEY, node.log, note="old")
    spool = a_spool(node, NoNotes())
    assert [log.note for log in spool.left] == ["old"]
    assert keep(spool, node).note == "old"
    spool.note(KEY, "new")
    assert [log.note for log in a_spool(node).left] == ["old"]


def test_a_note_goes_with_what_it_is_of_and_one_in_the_making_with_the_next_start(node: Node) -> None:
    spool = a_spool(node)
    spool.keep(KEY, node.log, note="whose")
    (node.spool / WAITING / f"{'0' * 64}.json.new").write_text("who")
    (node.spool / WAITING / f"{'1' * 64}.json").write_text("nothing is left of it")
    assert [log.note for log in a_spool(node).left] == ["whose"]
    spool.show(KEY, a_place())
    assert list((node.spool / WAITING).iterdir()) == []


def test_a_gone_log_stays_until_all_of_it_is_let_go_of(node: Node) -> None:
    spool = a_spool(node)
    keep(spool, node)
    node.rotate()
    keep(spool, node)
    spool.close(KEY)
    assert [each.closed for each in spool.logs[KEY].segments] == [1000.0, 1000.0]
    spool.released(KEY, {1000})
    assert [each.number for each in spool.logs[KEY].segments] == [1001]
    spool.released(KEY, {1001})
    assert KEY not in spool.logs


def test_numbers_are_not_used_again_when_somebody_has_emptied_the_spool(node: Node) -> None:
    now = 1000.0
    first = Spool([node.spool], wall=lambda: now).keep(KEY, node.log)
    first.path(first.segments[0]).unlink()
    now = 2000.0
    second = Spool([node.spool], wall=lambda: now).keep(KEY, node.log)
    assert [each.number for each in (*first.segments, *second.segments)] == [1000, 2000]


def test_a_gone_logs_segments_are_taken_up_by_their_place(node: Node) -> None:
    spool = a_spool(node)
    keep(spool, node)
    spool.show(KEY, a_place())
    node.log.unlink()
    again = a_spool(node)
    held = again.find(KEY, place=a_place())
    assert held is not None
    assert [each.closed is None for each in held.segments] == [False]
    assert again.find("another", place=a_place("f" * 64)) is None


@attrs.define
class FullDisk(SpoolDisk):
    """Refuses to link from a call on, or rotates the log at one."""

    code: int = 0
    good: int = 0
    before: Callable[[], object] | None = None

    @contextlib.contextmanager
    def log(self, folder: Path, name: str, inode: int) -> Iterator[int]:
        if self.before is not None:
            before, self.before = self.before, None
            before()
        with super().log(folder, name, inode) as fd:
            yield fd

    def link(self, file: int, fd: int, name: str) -> None:
        if self.code and self.good <= 0:
            raise OSError(self.code, os.strerror(self.code))
        self.good -= 1
        super().link(file, fd, name)


@pytest.mark.parametrize(
    "code", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOSPC, errno.EROFS], ids=errno.errorcode.get
)
def test_where_nothing_can_be_linked_the_reason_and_the_remedy_are_told(node: Node, code: int) -> None:
    with pytest.raises(CannotSpool, match=os.strerror(code)):
        keep(a_spool(node, FullDisk(code=code)), node)


def test_a_link_that_fails_later_is_made_up_for_in_order(node: Node) -> None:
    disk = FullDisk()
    spool = a_spool(node, disk)
    keep(spool, node)
    spool.show(KEY, a_place())
    disk.code, disk.good = errno.ENOSPC, 1
    node.rotate()
    node.rotate()
    held = keep(spool, node)
    assert "No space left" in held.trouble
    assert not held.is_live(node.log.stat().st_ino)
    disk.code = 0
    assert keep(spool, node).trouble == ""
    assert node.shown() == ["file 0\n", "file 1\n", "file 2\n"]


def test_a_rotation_between_look_and_link_loses_nothing(node: Node) -> None:
    spool = a_spool(node, FullDisk(before=node.rotate))
    keep(spool, node)
    spool.show(KEY, a_place())
    assert node.shown() == ["file 0\n", "file 1\n"]


def test_the_first_folder_in_which_a_link_works_is_used(node: Node) -> None:
    candidates = [Path("/dev/shm"), Path("/var/tmp")]  # noqa: S108 - made and removed here
    elsewhere = [each for each in candidates if each.stat().st_dev != node.root.stat().st_dev]
    other = elsewhere[0] / f"spool-{os.getpid()}"
    other.mkdir()
    try:
        spool = Spool([other, node.spool], wall=fixed_wall)
        spool.load()
        assert spool.keep(KEY, node.log).spool == node.spool
    finally:
        for left in sorted(other.rglob("*"), reverse=True):
            left.rmdir()
        other.rmdir()


@pytest.mark.parametrize("part", ["0.log", "main"])
def test_a_link_on_the_way_to_the_log_is_not_followed(node: Node, part: str) -> None:
    spool = a_spool(node)
    victim = node.root / "victim"
    victim.mkdir()
    (victim / "0.log").write_text("secret")
    if part == "0.log":
        node.log.unlink()
        node.log.symlink_to(victim / "0.log")
    else:
        node.log.unlink()
        node.log.parent.rmdir()
        node.log.parent.symlink_to(victim)
    with pytest.raises(CannotSpool):
        keep(spool, node)
    assert node.shown() == node.waiting() == []


def test_a_spool_folder_that_is_a_link_is_not_written_through(node: Node) -> None:
    victim = node.root / "victim"
    victim.mkdir()
    (node.spool / WAITING).symlink_to(victim)
    with pytest.raises(CannotSpool, match="a link stands where a folder belongs"):
        keep(a_spool(node), node)
    assert not list(victim.iterdir())


def test_killed_while_showing_it_shows_the_rest_after_a_restart(node: Node) -> None:
    spool = a_spool(node)
    keep(spool, node)
    node.rotate()
    held = keep(spool, node)
    shown = attrs.evolve(held, shown=True, place=a_place())
    first = held.segments[0]
    shown.path(first).parent.mkdir()
    held.path(first).rename(shown.path(first))
    keep(a_spool(node), node)
    assert (node.shown(), node.waiting()) == (["file 0\n", "file 1\n"], [])
