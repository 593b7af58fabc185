"""Segments go when they are done with, and the oldest beyond the bounds; nothing else does."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core.segments import WAITING, place_of
from kube_log_watcher_core.spool.disk import SpoolDisk
from kube_log_watcher_core.spool.janitor import Chores, GivenUp, Janitor
from kube_log_watcher_core.spool.release import SpoolRules
from kube_log_watcher_core.spool.spool import Spool
from kube_log_watcher_core.spool.spooled import Spooled

ROOMY = SpoolRules(min_free_percent=0)
SIZE = 100


def fixed_wall() -> float:
    return 1.0


def a_log(
    root: Path, *, key: str = "a", files: int = 3, shown: bool = True, keep_files: bool = False
) -> Spooled:
    """Spool a log that was rotated; only the spool holds what was rotated, unless told otherwise."""
    folder = root / "pods" / key
    folder.mkdir(parents=True)
    spool = Spool([root / "spool"], wall=fixed_wall)
    (root / "spool").mkdir(exist_ok=True)
    log = folder / "0.log"
    log.write_text("x" * SIZE)
    place = place_of(
        namespace="shop", pod=key, pod_uid="u", container="main", container_id=f"{ord(key):064x}"
    )
    assert place is not None
    spool.keep(key, log)
    for number in range(1, files):
        rotated = log.with_name(f"0.log.20261124-{number:06d}")
        log.rename(rotated)
        log.write_text("x" * SIZE)
        spool.keep(key, log)
        if not keep_files:
            rotated.unlink()
    if shown:
        spool.show(key, place)
    return spool.logs[key]


def there(log: Spooled) -> list[int]:
    return [each.number for each in log.segments if log.path(each).exists()]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path.resolve()


def test_what_is_done_with_goes_and_the_rest_is_counted(root: Path) -> None:
    log = a_log(root)
    swept = Janitor().sweep(Chores(logs=(log,), done=frozenset({("a", 1)}), rules=ROOMY))
    assert there(log) == [2, 3]
    assert swept.removed == {("a", 1)}
    assert swept.held_bytes == SIZE
    assert swept.given_up == ()


def test_with_its_last_segment_a_pods_folder_goes(root: Path) -> None:
    log = a_log(root)
    everything = frozenset(("a", each.number) for each in log.segments)
    Janitor().sweep(Chores(logs=(log,), done=everything, rules=ROOMY))
    assert list((root / "spool").iterdir()) == [root / "spool" / WAITING]


def test_somebody_elses_file_in_a_pods_folder_stays(root: Path) -> None:
    log = a_log(root)
    foreign = log.path(log.segments[0]).with_name("note.txt")
    foreign.write_text("mine")
    Janitor().sweep(Chores(dropped=(log,), rules=ROOMY))
    assert there(log) == []
    assert foreign.read_text() == "mine"


def test_a_dropped_log_goes_at_once_wherever_it_is(root: Path) -> None:
    shown, waiting = a_log(root), a_log(root, key="b", shown=False)
    assert there(waiting) == [1, 2, 3]
    Janitor().sweep(Chores(dropped=(shown, waiting), rules=ROOMY))
    assert there(shown) == there(waiting) == []


@attrs.define
class ReadOnlyDisk(SpoolDisk):
    """Lets nothing be removed for a while."""

    is_read_only: bool = True

    def remove(self, fd: int, name: str) -> None:
        if self.is_read_only:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        super().remove(fd, name)


def test_a_dropped_log_that_can_not_be_removed_is_told_and_tried_again(root: Path) -> None:
    log, disk = a_log(root), ReadOnlyDisk()
    swept = Janitor(disk).sweep(Chores(dropped=(log,), rules=ROOMY))
    assert swept.undone == (log,)
    assert "Read-only file system" in swept.trouble
    disk.is_read_only = False
    assert Janitor(disk).sweep(Chores(dropped=swept.undone, rules=ROOMY)).undone == ()
    assert there(log) == []


def test_beyond_the_bound_the_oldest_go_and_what_was_unread_is_told(root: Path) -> None:
    log = a_log(root, files=5)
    rules = attrs.evolve(ROOMY, max_bytes=2 * SIZE)
    swept = Janitor().sweep(Chores(logs=(log,), read_bytes={("a", 1): 40}, rules=rules))
    assert there(log) == [3, 4, 5]
    assert swept.given_up == (GivenUp("a", 1, unread_bytes=60), GivenUp("a", 2, unread_bytes=SIZE))
    assert swept.held_bytes == 2 * SIZE


def test_what_pods_hold_themselves_is_not_given_up(root: Path) -> None:
    log = a_log(root, keep_files=True)
    swept = Janitor().sweep(Chores(logs=(log,), rules=SpoolRules(max_bytes=0, min_free_percent=100)))
    assert there(log) == [1, 2, 3]
    assert (swept.given_up, swept.held_bytes) == ((), 0)


def test_segments_that_somebody_else_has_removed_are_told_as_gone(root: Path) -> None:
    log = a_log(root)
    log.path(log.segments[0]).unlink()
    assert Janitor().sweep(Chores(logs=(log,), rules=ROOMY)).removed == {("a", 1)}


def test_a_link_in_place_of_a_pods_folder_is_not_followed(root: Path) -> None:
    log = a_log(root)
    folder = log.path(log.segments[0]).parent
    victim = root / "victim"
    folder.rename(victim)
    folder.symlink_to(victim)
    swept = Janitor().sweep(Chores(logs=(log,), done=frozenset({("a", 1)}), rules=ROOMY))
    assert len(os.listdir(victim)) == 3
    assert swept.removed == frozenset()
    assert "Not a directory" in swept.trouble
