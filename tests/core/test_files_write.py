"""Writing files and links: atomic, kind by kind, and only what differs."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from agent_support import identities, tree
from kube_log_watcher_core import AgentError, File, Item, Link, Owned
from kube_log_watcher_core.files import Mirror

Maker = Callable[[Path], object]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def apply(folder: Path, *items: Item, mirror: Mirror | None = None) -> None:
    """Make a folder match items with names of small letters, links among them ending in `.link`."""
    owned = (Owned(folder, r"[a-z]+"), Owned(folder, r"[a-z]+\.link", links=True))
    (mirror or Mirror()).apply(items, owned)


def test_files_and_links_appear_as_wanted(tmp_path: Path) -> None:
    apply(tmp_path, File(tmp_path / "a", "text"), Link(tmp_path / "b.link", Path("/var/log/x")))
    assert tree(tmp_path) == {"a": b"text", "b.link": "/var/log/x"}


def test_a_new_file_has_the_wanted_mode_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        apply(tmp_path, File(tmp_path / "a", "", mode=0o640), File(tmp_path / "b", ""))
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"] == [0o640, 0o644]


@needs_root
def test_a_new_file_has_the_wanted_group(tmp_path: Path) -> None:
    apply(tmp_path, File(tmp_path / "a", "", group=12345))
    assert (tmp_path / "a").stat().st_gid == 12345


@needs_root
def test_a_file_keeps_its_owner_group_and_mode_when_its_content_changes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    os.chown(path, 12345, 54321)
    path.chmod(0o604)
    apply(tmp_path, File(path, "new", mode=0o600, group=0))
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12345, 54321, 0o604)


@needs_root
def test_a_file_keeps_its_group_where_the_folder_would_give_another(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    os.chown(tmp_path, -1, 12345)
    tmp_path.chmod(0o2755)
    apply(tmp_path, File(path, "new"))
    assert path.stat().st_gid == os.getegid()


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    contents = [letter * 500_000 for letter in (b"x", b"y")]
    apply(tmp_path, File(path, contents[0]))
    done = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    mirror = Mirror()
    try:
        for number in range(30):
            apply(tmp_path, File(path, contents[number % 2]), mirror=mirror)
    finally:
        done.set()
        reader.join()
    assert seen <= set(contents)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_link_is_replaced_without_a_moment_without_it(tmp_path: Path) -> None:
    path = tmp_path / "a.link"
    apply(tmp_path, Link(path, Path("/0")))
    done = threading.Event()
    missed: list[OSError] = []

    def read() -> None:
        while not done.is_set():
            try:
                path.readlink()
            except OSError as error:
                missed.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    mirror = Mirror()
    try:
        for number in range(200):
            apply(tmp_path, Link(path, Path(f"/{number}")), mirror=mirror)
    finally:
        done.set()
        reader.join()
    assert not missed


def test_what_is_right_already_is_left_untouched(tmp_path: Path) -> None:
    items = (File(tmp_path / "a", "text"), Link(tmp_path / "b.link", Path("/x")))
    mirror = Mirror()
    apply(tmp_path, *items, mirror=mirror)
    before = identities(tmp_path)
    apply(tmp_path, *items, mirror=mirror)
    mirror.forget()
    apply(tmp_path, *items, mirror=mirror)
    apply(tmp_path, *items)
    assert identities(tmp_path) == before


@pytest.mark.parametrize("content", ["", "tex", "text and more", "TEXT"])
def test_a_damaged_file_is_put_right_by_the_next_full_comparison(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a"
    mirror = Mirror()
    apply(tmp_path, File(path, "text"), mirror=mirror)
    path.write_text(content)
    mirror.forget()
    apply(tmp_path, File(path, "text"), mirror=mirror)
    assert path.read_text() == "text"


def test_a_deleted_file_and_link_come_back(tmp_path: Path) -> None:
    items = (File(tmp_path / "a", "text"), Link(tmp_path / "b.link", Path("/x")))
    mirror = Mirror()
    apply(tmp_path, *items, mirror=mirror)
    for item in items:
        item.path.unlink()
    mirror.forget()
    apply(tmp_path, *items, mirror=mirror)
    assert tree(tmp_path) == {"a": b"text", "b.link": "/x"}


def make_link(path: Path) -> None:
    other = path.parent / "Other"
    other.write_text("text")
    path.symlink_to(other)


def make_socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)


@pytest.mark.parametrize("make", [make_link, os.mkfifo, make_socket], ids=["link", "fifo", "socket"])
def test_something_else_under_a_files_name_is_replaced(tmp_path: Path, make: Maker) -> None:
    """A link leads to the right content, a FIFO would block its reader: neither is read or followed."""
    make(tmp_path / "a")
    apply(tmp_path, File(tmp_path / "a", "text"))
    assert stat.S_ISREG(os.lstat(tmp_path / "a").st_mode)
    assert (tmp_path / "a").read_text() == "text"


@pytest.mark.parametrize("make", [make_link, os.mkfifo, Path.touch], ids=["link", "fifo", "file"])
def test_something_else_under_a_links_name_is_replaced(tmp_path: Path, make: Maker) -> None:
    make(tmp_path / "a.link")
    apply(tmp_path, Link(tmp_path / "a.link", Path("/x")))
    assert (tmp_path / "a.link").readlink() == Path("/x")


def test_a_planted_link_is_never_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "Victim"
    victim.write_text("precious")
    (tmp_path / "a").symlink_to(victim)
    apply(tmp_path, File(tmp_path / "a", "text"))
    assert victim.read_text() == "precious"


def test_a_folder_under_a_files_name_is_reported_and_stays(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(AgentError, match=r"/a: Is a directory: a folder stands where"):
        apply(tmp_path, File(tmp_path / "a", "text"), File(tmp_path / "b", "text"))
    assert tree(tmp_path) == {"a": None, "b": b"text"}


def test_a_name_as_long_as_a_file_system_allows_can_be_written(tmp_path: Path) -> None:
    """Its temporary name is longer than the name by some letters, and has to fit as well."""
    for name in ("a" * 255, "é" * 127):
        Mirror().apply([File(tmp_path / name, "text")], [Owned(tmp_path, r".*")])
        assert (tmp_path / name).read_text() == "text"


def nested(folder: Path) -> tuple[Owned, ...]:
    return (Owned(folder, (r"[0-9]+", r"[a-z]+", r"[a-z]+\.log"), links=True),)


def test_folders_are_made_as_the_pattern_has_them(tmp_path: Path) -> None:
    Mirror().apply([Link(tmp_path / "1/x/a.log", Path("/x"))], nested(tmp_path))
    assert tree(tmp_path) == {"1": None, "1/x": None, "1/x/a.log": "/x"}


def test_a_link_planted_as_a_folder_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "x").mkdir(parents=True)
    (dest := tmp_path / "dest").mkdir()
    (dest / "1").symlink_to(outside)
    Mirror().apply([Link(dest / "1/x/a.log", Path("/x"))], nested(dest))
    assert tree(dest) == {"1": None, "1/x": None, "1/x/a.log": "/x"}
    assert tree(outside) == {"x": None}


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo], ids=["file", "fifo"])
def test_a_file_in_place_of_a_folder_is_reported_by_its_name_and_stays(tmp_path: Path, make: Maker) -> None:
    make(tmp_path / "1")
    items = [Link(tmp_path / "1/x/a.log", Path("/x")), Link(tmp_path / "2/x/a.log", Path("/y"))]
    with pytest.raises(AgentError, match=r"/1: Not a directory: a file stands where a folder belongs"):
        Mirror().apply(items, nested(tmp_path))
    assert not (tmp_path / "1").is_dir()
    assert (tmp_path / "2/x/a.log").readlink() == Path("/y")


def refused(folder: Path) -> Iterable[Item]:
    yield File(folder / "UPPER", "text")
    yield File(folder.parent / "a", "text")
    yield File(folder / ".." / "a", "text")
    yield File(folder / "a.link", "a file where links are owned")
    yield Link(folder / "a", Path("/a-link-where-files-are-owned"))
    yield Link(folder / "b.link", Path("/no\0path"))


def test_what_is_not_owned_is_refused_and_the_rest_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "dest"
    folder.mkdir()
    for item in refused(folder):
        with pytest.raises(AgentError, match="refusing to write"):
            apply(folder, item, File(folder / "good", "text"))
    assert tree(tmp_path) == {"dest": None, "dest/good": b"text"}


def test_of_two_different_items_for_one_path_the_first_is_written_and_the_second_told(tmp_path: Path) -> None:
    """Targets are sorted by id: it is the same one each time."""
    items = [File(tmp_path / name, text) for name, text in (("a", "1"), ("b", "text"), ("a", "2"))]
    with pytest.raises(AgentError, match=r"/a: two different items want this path, and the first has it"):
        apply(tmp_path, *items)
    assert tree(tmp_path) == {"a": b"1", "b": b"text"}


def test_the_same_item_twice_is_written_once(tmp_path: Path) -> None:
    apply(tmp_path, File(tmp_path / "a", "1"), File(tmp_path / "a", "1"))
    assert tree(tmp_path) == {"a": b"1"}


def test_an_item_shows_no_content_in_its_repr(tmp_path: Path) -> None:
    assert "secret" not in repr(File(tmp_path / "a", "secret"))
