"""Removing: what is stale and ours goes, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from agent_support import tree
from kube_log_watcher_core import AgentError, File, Item, Link, Owned
from kube_log_watcher_core.files import Disk, Mirror
from support import child, wait_until


def flat(folder: Path) -> tuple[Owned, ...]:
    return (Owned(folder, r"[a-z]+\.job"),)


def nested(folder: Path) -> tuple[Owned, ...]:
    return (Owned(folder, (r"[0-9]+", r"[a-z]+", r"[a-z]+\.log"), links=True),)


def plant(folder: Path, *names: str) -> None:
    """Make files, and links for names that end in `.log`."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".log"):
            path.symlink_to("/nonexistent")
        else:
            path.write_text("x")


def test_what_is_no_longer_wanted_goes(tmp_path: Path) -> None:
    mirror = Mirror()
    items = [File(tmp_path / "a.job", "1"), File(tmp_path / "b.job", "2")]
    mirror.apply(items, flat(tmp_path))
    mirror.apply(items[:1], flat(tmp_path))
    assert tree(tmp_path) == {"a.job": b"1"}


def test_a_restart_removes_what_is_stale_and_ours(tmp_path: Path) -> None:
    plant(tmp_path, "a.job", "stale.job")
    Mirror().apply([File(tmp_path / "a.job", "1")], flat(tmp_path))
    assert tree(tmp_path) == {"a.job": b"1"}


def test_nothing_wanted_leaves_nothing_of_ours(tmp_path: Path) -> None:
    plant(tmp_path, "a.job", "b.job", "mine.txt")
    Mirror().apply([], flat(tmp_path))
    assert tree(tmp_path) == {"mine.txt": b"x"}


@pytest.mark.parametrize("known", [True, False], ids=["what it wrote itself", "what it finds"])
def test_foreign_files_and_folders_survive(tmp_path: Path, *, known: bool) -> None:
    mirror = Mirror()
    mirror.apply([File(tmp_path / "a.job", "1")], flat(tmp_path))
    plant(tmp_path, "sample.job.bak", "UPPER.job", "sub/a.job", ".hidden.job")
    (tmp_path / "folder.job").mkdir()
    (tmp_path / "link.job").symlink_to(tmp_path / "sub")
    os.mkfifo(tmp_path / "fifo.job")
    foreign = tree(tmp_path)
    del foreign["a.job"]
    if not known:
        mirror.forget()
    mirror.apply([], flat(tmp_path))
    assert tree(tmp_path) == foreign


def test_folders_of_ours_go_when_they_are_empty(tmp_path: Path) -> None:
    mirror = Mirror()
    links = [Link(tmp_path / name, Path("/x")) for name in ("1/x/a.log", "1/y/b.log", "2/x/c.log")]
    mirror.apply(links, nested(tmp_path))
    mirror.apply(links[:1], nested(tmp_path))
    assert tree(tmp_path) == {"1": None, "1/x": None, "1/x/a.log": "/x"}
    mirror.apply([], nested(tmp_path))
    assert tree(tmp_path) == {}


def test_a_restart_removes_whole_trees_of_an_earlier_life(tmp_path: Path) -> None:
    plant(tmp_path, "1/x/a.log", "22/y/b.log", "22/z/c.log")
    (tmp_path / "3/x").mkdir(parents=True)
    Mirror().apply([Link(tmp_path / "1/x/a.log", Path("/x"))], nested(tmp_path))
    assert tree(tmp_path) == {"1": None, "1/x": None, "1/x/a.log": "/x"}


FOREIGN = ("1/x/note.txt", "aaa/x/a.log", "1/X/a.log", "1/a.log", "1/x/y/a.log", "a.log", "README")


@pytest.mark.parametrize("name", FOREIGN)
def test_in_nested_folders_only_the_exact_pattern_is_pruned(tmp_path: Path, name: str) -> None:
    plant(tmp_path, name, "1/x/stale.log")
    Mirror().apply([], nested(tmp_path))
    assert (tmp_path / name).is_symlink() or (tmp_path / name).is_file()
    assert not (tmp_path / "1/x/stale.log").is_symlink()


def test_a_regular_file_under_a_links_name_is_nobodys_to_remove(tmp_path: Path) -> None:
    (tmp_path / "1/x").mkdir(parents=True)
    (tmp_path / "1/x/a.log").write_text("somebody put a real log here")
    Mirror().apply([], nested(tmp_path))
    assert (tmp_path / "1/x/a.log").is_file()


@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize("known", [True, False], ids=["what it wrote itself", "what it finds"])
def test_pruning_follows_no_link(tmp_path: Path, *, depth: int, known: bool) -> None:
    """Somebody moves our folder away and puts a link to a folder of the same shape in its place."""
    dest, outside = tmp_path / "dest", tmp_path / "outside"
    dest.mkdir()
    plant(outside, "x/a.log", "a.log")
    mirror = Mirror()
    mirror.apply([Link(dest / "1/x/a.log", Path("/x"))], nested(dest))
    place = dest / ("1", "1/x")[depth]
    place.rename(tmp_path / "moved")
    place.symlink_to(outside)
    before = tree(outside)
    if not known:
        mirror.forget()
    mirror.apply([], nested(dest))
    assert tree(outside) == before


class BusyDisk(Disk):
    """A disk on which somebody else is at work, right after we have looked at a name."""

    def __init__(self, name: str, act: Callable[[], object]) -> None:
        self.name = name
        self.act = act

    def kind(self, fd: int, name: str) -> str:
        found = super().kind(fd, name)
        if name == self.name:
            self.name = ""
            self.act()
        return found


def exchange(place: Path, outside: Path) -> None:
    place.rename(place.with_name("Moved"))
    place.symlink_to(outside)


@pytest.mark.parametrize("known", [True, False], ids=["what it wrote itself", "what it finds"])
def test_a_link_put_in_place_of_a_folder_at_the_last_moment_is_not_followed(
    tmp_path: Path, *, known: bool
) -> None:
    dest, outside = tmp_path / "dest", tmp_path / "outside"
    dest.mkdir()
    plant(outside, "x/a.log")
    disk = BusyDisk("", lambda: exchange(dest / "1", outside))
    mirror = Mirror(disk)
    mirror.apply([Link(dest / "1/x/a.log", Path("/x"))], nested(dest))
    disk.name = "1"
    if not known:
        mirror.forget()
    with pytest.raises(AgentError, match=r"dest/1(/x/a\.log)?: "):
        mirror.apply([], nested(dest))
    assert tree(outside) == {"x": None, "x/a.log": "/nonexistent"}


@pytest.mark.parametrize("known", [True, False], ids=["what it wrote itself", "what it finds"])
def test_a_folder_that_vanishes_at_the_last_moment_is_no_fault(tmp_path: Path, *, known: bool) -> None:
    dest = tmp_path / "dest"
    dest.mkdir()
    disk = BusyDisk("", lambda: (dest / "1").rename(tmp_path / "moved"))
    mirror = Mirror(disk)
    mirror.apply([Link(dest / "1/x/a.log", Path("/x"))], nested(dest))
    disk.name = "1"
    if not known:
        mirror.forget()
    mirror.apply([], nested(dest))
    assert tree(dest) == {}


def test_what_others_removed_already_is_no_fault(tmp_path: Path) -> None:
    mirror = Mirror()
    mirror.apply(
        [Link(tmp_path / "1/x/a.log", Path("/x")), Link(tmp_path / "2/x/b.log", Path("/x"))], nested(tmp_path)
    )
    (tmp_path / "1/x/a.log").unlink()
    (tmp_path / "1/x").rmdir()
    (tmp_path / "2/x/b.log").unlink()
    mirror.apply([], nested(tmp_path))
    assert not (tmp_path / "2").exists()


def test_the_two_kinds_are_pruned_apart(tmp_path: Path) -> None:
    """An agent may own files and links of like names in one folder."""
    both = (Owned(tmp_path, r"[a-z]+"), Owned(tmp_path, r"[a-z]+", links=True))
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("/x")
    items: list[Item] = [Link(tmp_path / "link", Path("/x"))]
    Mirror().apply(items, both)
    assert tree(tmp_path) == {"link": "/x"}


def temporaries(name: str) -> Iterable[str]:
    """Give names of files in the making that a killed process leaves behind."""
    yield f".{name}.0123abcd.klw-tmp"
    yield f".{name}.ffffffff.klw-tmp"


def test_temporary_files_of_a_killed_predecessor_go(tmp_path: Path) -> None:
    plant(tmp_path, *temporaries("a.job"))
    long = "a" * 200 + ".job"
    plant(tmp_path, *temporaries(long[:150]))
    Mirror().apply([File(tmp_path / long, "1")], flat(tmp_path))
    assert tree(tmp_path) == {long: b"1"}


def test_temporary_links_of_a_killed_predecessor_go(tmp_path: Path) -> None:
    (tmp_path / "1/x").mkdir(parents=True)
    for name in temporaries("a.log"):
        (tmp_path / "1/x" / name).symlink_to("/x")
    Mirror().apply([], nested(tmp_path))
    assert tree(tmp_path) == {}


FOREIGN_TEMPORARIES = (".other.txt.0123abcd.klw-tmp", "a.job.klw-tmp", ".a.job.tmp", ".a.job.0123.klw-tmp")


@pytest.mark.parametrize("name", FOREIGN_TEMPORARIES)
def test_temporary_files_of_others_survive(tmp_path: Path, name: str) -> None:
    """Another agent may be writing into the same folder at this moment."""
    plant(tmp_path, name)
    Mirror().apply([], flat(tmp_path))
    assert (tmp_path / name).is_file()


WRITER = """
import sys
from pathlib import Path
from kube_log_watcher_core import File, Owned
from kube_log_watcher_core.files import Mirror

folder = Path(sys.argv[1])
mirror = Mirror()
while True:
    for letter in "xy":
        mirror.apply([File(folder / "a.job", letter * 4_000_000)], [Owned(folder, r"[a-z]+\\.job")])
"""


def test_a_process_killed_while_it_writes_leaves_a_whole_file_and_a_restart_tidies_up(tmp_path: Path) -> None:
    with child([sys.executable, "-c", WRITER, str(tmp_path)]) as writer:
        wait_until((tmp_path / "a.job").exists, what="the first file")
        wait_until(lambda: _stopped_in_the_middle(writer, tmp_path), what="a write")
    assert len(list(tmp_path.iterdir())) == 2
    content = (tmp_path / "a.job").read_bytes()
    assert content in (b"x" * 4_000_000, b"y" * 4_000_000)
    Mirror().apply([File(tmp_path / "a.job", content)], flat(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["a.job"]


def _stopped_in_the_middle(writer: subprocess.Popen[bytes], folder: Path) -> bool:
    writer.send_signal(signal.SIGSTOP)
    wait_until(lambda: _state(writer.pid) == "T", what="the writer to stop")
    if any(folder.glob("*.klw-tmp")):
        return True
    writer.send_signal(signal.SIGCONT)
    return False


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
