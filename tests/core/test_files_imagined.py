"""The imagined disk behaves as a real one does, and leaves nothing anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from kube_log_watcher_core import File, Item, Link, Owned
from kube_log_watcher_core.files import Change, Mirror
from kube_log_watcher_testing.imagined import ImaginedDisk

FOLDER = Path("/nowhere/at/all")
OWNED = (Owned(FOLDER, r"[a-z]+\.job"), Owned(FOLDER, (r"[0-9]+", r"[a-z]+\.log"), links=True))


def applied(disk: ImaginedDisk, mirror: Mirror, *items: Item) -> dict[str, Change]:
    """Apply items, and give what that changed, by name below the folder."""
    before = len(disk.changes)
    mirror.apply(items, OWNED)
    return {str(change.path.relative_to(FOLDER)): change for change in disk.changes[before:]}


def a_file(text: str) -> File:
    return File(FOLDER / "a.job", text)


def a_link(target: str) -> Link:
    return Link(FOLDER / "1" / "a.log", Path(target))


def test_what_is_written_is_there_the_next_time() -> None:
    disk = ImaginedDisk()
    mirror = Mirror(disk)
    first = applied(disk, mirror, a_file("1"), a_link("/x"))
    assert [(name, change.before, change.after) for name, change in first.items()] == [
        ("1/a.log", None, b"/x"),
        ("a.job", None, b"1"),
    ]
    second = applied(disk, mirror, a_file("2"), a_link("/y"))
    assert [(name, change.before, change.after) for name, change in second.items()] == [
        ("1/a.log", b"/x", b"/y"),
        ("a.job", b"1", b"2"),
    ]
    assert not FOLDER.exists()


def test_what_is_unchanged_is_no_change_also_for_a_successor() -> None:
    disk = ImaginedDisk()
    applied(disk, Mirror(disk), a_file("1"), a_link("/x"))
    assert applied(disk, Mirror(disk), a_file("1"), a_link("/x")) == {}


@pytest.mark.parametrize("restarted", [False, True])
def test_what_is_removed_is_gone_with_its_folders(restarted: bool) -> None:
    disk = ImaginedDisk()
    mirror = Mirror(disk)
    applied(disk, mirror, a_file("1"), a_link("/x"))
    gone = applied(disk, Mirror(disk) if restarted else mirror)
    assert {name: (change.before, change.after) for name, change in gone.items()} == {
        "1/a.log": (b"/x", None),
        "a.job": (b"1", None),
    }
    with disk.folder(FOLDER) as fd:
        assert disk.names(fd) == []


def test_a_folder_can_only_be_entered_where_there_is_one() -> None:
    disk = ImaginedDisk()
    applied(disk, Mirror(disk), a_file("1"))
    with disk.folder(FOLDER) as fd, pytest.raises(NotADirectoryError), disk.inside(fd, "a.job", make=False):
        pass
