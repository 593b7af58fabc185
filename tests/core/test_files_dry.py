"""The dry disk tells what would be done, and does nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent_support import identities, tree
from kube_log_watcher_core import AgentError, File, Item, Link, Owned
from kube_log_watcher_core.files import Change, DryDisk, Mirror


def owned(folder: Path) -> tuple[Owned, ...]:
    return (Owned(folder, r"[a-z]+\.job"), Owned(folder, (r"[0-9]+", r"[a-z]+\.log"), links=True))


def wanted(folder: Path) -> list[Item]:
    return [
        File(folder / "same.job", "same"),
        File(folder / "changed.job", "new"),
        File(folder / "added.job", "added"),
        Link(folder / "1/changed.log", Path("/new")),
        Link(folder / "2/added.log", Path("/added")),
    ]


def fill(folder: Path) -> None:
    (folder / "1").mkdir()
    for name in ("same", "changed", "stale"):
        (folder / f"{name}.job").write_text("same")
    for name in ("changed", "stale"):
        (folder / f"1/{name}.log").symlink_to("/old")
    (folder / "foreign.txt").write_text("foreign")


def changes_of(folder: Path) -> dict[str, Change]:
    disk = DryDisk()
    Mirror(disk).apply(wanted(folder), owned(folder))
    assert len({change.path for change in disk.changes}) == len(disk.changes)
    return {str(change.path.relative_to(folder)): change for change in disk.changes}


def test_every_difference_is_told_with_both_its_sides(tmp_path: Path) -> None:
    fill(tmp_path)
    found = {
        name: (change.before, change.after, change.link) for name, change in changes_of(tmp_path).items()
    }
    assert found == {
        "changed.job": (b"same", b"new", False),
        "added.job": (None, b"added", False),
        "stale.job": (b"same", None, False),
        "1/changed.log": (b"/old", b"/new", True),
        "2/added.log": (None, b"/added", True),
        "1/stale.log": (b"/old", None, True),
    }


def test_nothing_on_the_disk_changes(tmp_path: Path) -> None:
    fill(tmp_path)
    before = identities(tmp_path)
    changes_of(tmp_path)
    assert identities(tmp_path) == before


def test_what_is_told_is_what_is_done_then(tmp_path: Path) -> None:
    fill(tmp_path)
    expected = tree(tmp_path)
    for name, change in changes_of(tmp_path).items():
        if change.after is None:
            del expected[name]
        else:
            expected[name] = os.fsdecode(change.after) if change.link else change.after
    Mirror().apply(wanted(tmp_path), owned(tmp_path))
    assert {name: value for name, value in tree(tmp_path).items() if value is not None} == {
        name: value for name, value in expected.items() if value is not None
    }
    assert not changes_of(tmp_path)


def test_a_missing_folder_counts_as_empty(tmp_path: Path) -> None:
    assert changes_of(tmp_path / "absent").keys() == {
        "same.job",
        "changed.job",
        "added.job",
        "1/changed.log",
        "2/added.log",
    }
    assert tree(tmp_path) == {}


def test_a_link_planted_as_a_folder_is_not_looked_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "changed.log").symlink_to("/new")
    (dest := tmp_path / "dest").mkdir()
    (dest / "1").symlink_to(outside)
    assert changes_of(dest)["1/changed.log"].before is None


def test_what_would_be_refused_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="refusing to write"):
        Mirror(DryDisk()).apply([File(tmp_path / "UPPER", "")], owned(tmp_path))


def test_a_change_shows_no_content_in_its_repr(tmp_path: Path) -> None:
    assert "secret" not in repr(Change(tmp_path, b"secret", b"secret"))
