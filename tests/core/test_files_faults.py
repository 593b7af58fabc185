"""Disks that fail: what is there stays, the fault is told, and the next call makes it right."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_support import tree
from kube_log_watcher_core import AgentError, File, Item, Link, Owned
from kube_log_watcher_core.errors import PartlyFailed
from kube_log_watcher_core.files import Disk, Mirror
from mount_support import run_with_mounts


class FailingDisk(Disk):
    """A disk of which one call fails, by its number."""

    def __init__(self, fail_at: int, number: int = errno.EIO) -> None:
        self.calls = 0
        self.fail_at = fail_at
        self.number = number

    def _call(self) -> None:
        self.calls += 1
        if self.calls == self.fail_at:
            raise OSError(self.number, os.strerror(self.number))

    @contextlib.contextmanager
    def folder(self, path: Path) -> Iterator[int]:
        self._call()
        with super().folder(path) as fd:
            yield fd

    @contextlib.contextmanager
    def inside(self, fd: int, name: str, *, make: bool) -> Iterator[int]:
        self._call()
        with super().inside(fd, name, make=make) as inner:
            yield inner

    def names(self, fd: int) -> list[str]:
        self._call()
        return sorted(super().names(fd))

    def kind(self, fd: int, name: str) -> str:
        self._call()
        return super().kind(fd, name)

    def read(self, fd: int, name: str, *, limit: int) -> bytes | None:
        self._call()
        return super().read(fd, name, limit=limit)

    def read_link(self, fd: int, name: str) -> str | None:
        self._call()
        return super().read_link(fd, name)

    def write(self, fd: int, file: File) -> None:
        self._call()
        super().write(fd, file)

    def link(self, fd: int, name: str, target: str) -> None:
        self._call()
        super().link(fd, name, target)

    def settle(self, fd: int) -> None:
        self._call()
        super().settle(fd)

    def remove(self, fd: int, name: str) -> None:
        self._call()
        super().remove(fd, name)

    def remove_folder(self, fd: int, name: str) -> None:
        self._call()
        super().remove_folder(fd, name)


def owned(folder: Path) -> tuple[Owned, ...]:
    return (Owned(folder, r"[a-z]+\.job"), Owned(folder, (r"[0-9]+", r"[a-z]+\.log"), links=True))


def before(folder: Path) -> list[Item]:
    return [
        File(folder / "same.job", "same"),
        File(folder / "changed.job", "old"),
        File(folder / "stale.job", "stale"),
        Link(folder / "1/changed.log", Path("/old")),
        Link(folder / "2/stale.log", Path("/stale")),
    ]


def after(folder: Path) -> list[Item]:
    return [
        File(folder / "same.job", "same"),
        File(folder / "changed.job", "new"),
        File(folder / "added.job", "added"),
        Link(folder / "1/changed.log", Path("/new")),
        Link(folder / "3/added.log", Path("/added")),
    ]


WANTED = {
    "same.job": b"same",
    "changed.job": b"new",
    "added.job": b"added",
    "1": None,
    "1/changed.log": "/new",
    "3": None,
    "3/added.log": "/added",
    "foreign.txt": b"foreign",
}
POSSIBLE: dict[str, set[bytes | str | None]] = {
    "same.job": {b"same"},
    "changed.job": {b"old", b"new"},
    "foreign.txt": {b"foreign"},
    "1/changed.log": {"/old", "/new"},
}


def calls_of_a_whole_change(folder: Path) -> int:
    disk = prepared(folder, fail_at=0)
    Mirror(disk).apply(after(folder), owned(folder))
    return disk.calls


def prepared(folder: Path, *, fail_at: int) -> FailingDisk:
    folder.mkdir()
    (folder / "foreign.txt").write_text("foreign")
    Mirror().apply(before(folder), owned(folder))
    return FailingDisk(fail_at)


def test_whichever_call_fails_nothing_is_lost_and_the_next_attempt_makes_it_right(tmp_path: Path) -> None:
    for fail_at in range(1, calls_of_a_whole_change(tmp_path / "whole") + 1):
        folder = tmp_path / str(fail_at)
        mirror = Mirror(prepared(folder, fail_at=fail_at))
        with pytest.raises(AgentError, match=f"{folder}.*: Input/output error"):
            mirror.apply(after(folder), owned(folder))
        found = tree(folder)
        assert all(found[name] in contents for name, contents in POSSIBLE.items()), (fail_at, found)
        mirror.apply(after(folder), owned(folder))
        assert tree(folder) == WANTED, fail_at


def test_a_process_that_knows_what_it_wrote_gets_over_every_fault_too(tmp_path: Path) -> None:
    fail_at = 0
    failed = True
    while failed:
        fail_at += 1
        folder = tmp_path / str(fail_at)
        disk = prepared(folder, fail_at=0)
        mirror = Mirror(disk)
        mirror.apply(before(folder), owned(folder))
        disk.fail_at = disk.calls + fail_at
        failed = False
        try:
            mirror.apply(after(folder), owned(folder))
        except AgentError:
            failed = True
            mirror.apply(after(folder), owned(folder))
        assert tree(folder) == WANTED, fail_at
    assert fail_at > 20


class RefusingDisk(Disk):
    """A disk that takes no file of one name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, fd: int, file: File) -> None:
        if file.path.name == self.name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().write(fd, file)


def test_a_file_that_may_be_about_all_keeps_all_while_it_can_not_be_written(tmp_path: Path) -> None:
    """What was not written may be what would have taken the place of what is stale."""
    Mirror().apply(before(tmp_path), owned(tmp_path))
    disk = RefusingDisk("changed.job")
    mirror = Mirror(disk)
    with pytest.raises(AgentError, match=r"/changed\.job: Input/output error$"):
        mirror.apply(after(tmp_path), owned(tmp_path))
    found = tree(tmp_path)
    assert (found["changed.job"], found["added.job"]) == (b"old", b"added")
    assert (found["stale.job"], found["2/stale.log"]) == (b"stale", "/stale")
    disk.name = ""
    mirror.apply(after(tmp_path), owned(tmp_path))
    assert tree(tmp_path) == {name: content for name, content in WANTED.items() if name != "foreign.txt"}


ONE, TWO, THREE = (f"{number:064x}" for number in (1, 2, 3))


def jobs(folder: Path) -> tuple[Owned, ...]:
    return (Owned(folder, r"[0-9a-f]{64}\.job"), Owned(folder, ("[0-9a-f]{64}", r"[a-z]+\.log"), links=True))


def of(folder: Path, container: str, *, label: str = "a", content: str = "1") -> list[Item]:
    """Give what an agent has for a container: a link whose name comes from a label, and a file."""
    link = Link(folder / container / f"{label}.log", Path("/x"))
    return [link, File(folder / f"{container}.job", content)]


class AStepThatFails(RefusingDisk):
    """A disk that counts the calls which change it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.looks = 0

    def read(self, fd: int, name: str, *, limit: int) -> bytes | None:
        self.looks += 1
        return super().read(fd, name, limit=limit)

    def link(self, fd: int, name: str, target: str) -> None:
        if name == self.name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().link(fd, name, target)


@pytest.mark.parametrize("known", [True, False], ids=["what it wrote itself", "what it finds"])
class TestOneItemsFaultIsItsOwn:
    """Container one's file can't be written; two goes, and three comes."""

    def test_others_are_written_and_pruned_and_nothing_is_compared_anew(
        self, tmp_path: Path, *, known: bool
    ) -> None:
        disk = AStepThatFails("")
        mirror = Mirror(disk)
        many = [item for number in range(10, 60) for item in of(tmp_path, f"{number:064x}")]
        mirror.apply([*of(tmp_path, ONE), *of(tmp_path, TWO), *many], jobs(tmp_path))
        disk.name = f"{ONE}.job"
        if not known:
            mirror.forget()
        for _ in range(3):
            disk.looks = 0
            with pytest.raises(PartlyFailed, match=rf"/{ONE}\.job: Input/output error$"):
                mirror.apply([*of(tmp_path, ONE, content="2"), *of(tmp_path, THREE), *many], jobs(tmp_path))
            found = tree(tmp_path)
            assert (found[f"{ONE}.job"], found[f"{THREE}.job"]) == (b"1", b"1")
            assert not {f"{TWO}.job", TWO} & found.keys()
        assert disk.looks == 1
        disk.name = ""
        mirror.apply([*of(tmp_path, ONE, content="2"), *of(tmp_path, THREE), *many], jobs(tmp_path))
        assert tree(tmp_path)[f"{ONE}.job"] == b"2"

    def test_what_it_was_to_take_the_place_of_stays_until_it_has(
        self, tmp_path: Path, *, known: bool
    ) -> None:
        """A label changes: the link gets another name, and can't be made."""
        disk = AStepThatFails("")
        mirror = Mirror(disk)
        mirror.apply([*of(tmp_path, ONE), *of(tmp_path, TWO)], jobs(tmp_path))
        disk.name = "b.log"
        if not known:
            mirror.forget()
        for _ in range(3):
            with pytest.raises(PartlyFailed):
                mirror.apply([*of(tmp_path, ONE, label="b"), *of(tmp_path, THREE)], jobs(tmp_path))
            found = tree(tmp_path)
            assert found[f"{ONE}/a.log"] == "/x"
            assert TWO not in found
        disk.name = ""
        mirror.apply([*of(tmp_path, ONE, label="b"), *of(tmp_path, THREE)], jobs(tmp_path))
        found = tree(tmp_path)
        assert (found.get(f"{ONE}/a.log"), found[f"{ONE}/b.log"]) == (None, "/x")

    def test_an_item_at_fault_that_is_wanted_no_more_is_pruned(self, tmp_path: Path, *, known: bool) -> None:
        disk = AStepThatFails("")
        mirror = Mirror(disk)
        mirror.apply(of(tmp_path, ONE), jobs(tmp_path))
        disk.name = f"{ONE}.job"
        if not known:
            mirror.forget()
        with pytest.raises(PartlyFailed):
            mirror.apply(of(tmp_path, ONE, content="2"), jobs(tmp_path))
        mirror.apply([], jobs(tmp_path))
        assert tree(tmp_path) == {}

    @pytest.mark.parametrize("fault", ["second", "foreign", "unnameable"])
    def test_what_is_wrong_in_itself_keeps_nobody_from_being_pruned(
        self, tmp_path: Path, fault: str, *, known: bool
    ) -> None:
        """It is wrong for ever: what is stale would stay for ever, too."""
        wrong: dict[str, Item] = {
            "second": File(tmp_path / f"{ONE}.job", "another"),
            "foreign": File(tmp_path / "foreign.job", "x"),
            "unnameable": Link(tmp_path / THREE / "a.log", Path("/a\0b")),
        }
        mirror = Mirror()
        mirror.apply([*of(tmp_path, ONE), *of(tmp_path, TWO)], jobs(tmp_path))
        if not known:
            mirror.forget()
        for _ in range(2):
            with pytest.raises(PartlyFailed):
                mirror.apply([*of(tmp_path, ONE), wrong[fault]], jobs(tmp_path))
            assert tree(tmp_path) == {ONE: None, f"{ONE}/a.log": "/x", f"{ONE}.job": b"1"}

    def test_one_name_that_can_not_be_removed_keeps_no_other(self, tmp_path: Path, *, known: bool) -> None:
        class Clinging(Disk):
            name = f"{ONE}.job"

            def remove(self, fd: int, name: str) -> None:
                if name == self.name:
                    raise OSError(errno.EPERM, os.strerror(errno.EPERM))
                super().remove(fd, name)

        disk = Clinging()
        mirror = Mirror(disk)
        mirror.apply([*of(tmp_path, ONE), *of(tmp_path, TWO), *of(tmp_path, THREE)], jobs(tmp_path))
        if not known:
            mirror.forget()
        for _ in range(2):
            with pytest.raises(PartlyFailed, match=rf"/{ONE}\.job: Operation not permitted$"):
                mirror.apply(of(tmp_path, THREE), jobs(tmp_path))
            assert tree(tmp_path).keys() == {f"{ONE}.job", f"{THREE}.job", THREE, f"{THREE}/a.log"}
        disk.name = ""
        mirror.apply(of(tmp_path, THREE), jobs(tmp_path))
        assert f"{ONE}.job" not in tree(tmp_path)

    def test_a_full_disk_gets_room_although_another_item_is_wrong(
        self, tmp_path: Path, *, known: bool
    ) -> None:
        disk = SmallDisk(helps=True)
        disk.full = False
        mirror = Mirror(disk)
        mirror.apply([*of(tmp_path, ONE), *of(tmp_path, TWO)], jobs(tmp_path))
        disk.full = True
        if not known:
            mirror.forget()
        with pytest.raises(PartlyFailed, match="two different items"):
            mirror.apply(
                [*of(tmp_path, ONE), *of(tmp_path, THREE), File(tmp_path / f"{ONE}.job", "x")], jobs(tmp_path)
            )
        assert tree(tmp_path).keys() == {
            ONE,
            f"{ONE}/a.log",
            f"{ONE}.job",
            THREE,
            f"{THREE}/a.log",
            f"{THREE}.job",
        }


class SmallDisk(Disk):
    """A disk that has room for a new file only when another one has gone."""

    def __init__(self, *, helps: bool) -> None:
        self.helps = helps
        self.full = True

    def write(self, fd: int, file: File) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(fd, file)

    def remove(self, fd: int, name: str) -> None:
        super().remove(fd, name)
        self.full = self.full and not self.helps


def test_on_a_full_disk_what_is_stale_makes_room_for_what_is_wanted(tmp_path: Path) -> None:
    Mirror().apply(before(tmp_path), owned(tmp_path))
    Mirror(SmallDisk(helps=True)).apply(after(tmp_path), owned(tmp_path))
    found = tree(tmp_path)
    assert found["changed.job"] != b"old"
    assert found["added.job"] == b"added"
    assert "stale.job" not in found


def test_on_a_disk_that_stays_full_what_is_wanted_and_there_is_kept(tmp_path: Path) -> None:
    Mirror().apply(before(tmp_path), owned(tmp_path))
    with pytest.raises(AgentError, match="No space left on device"):
        Mirror(SmallDisk(helps=False)).apply(after(tmp_path), owned(tmp_path))
    assert tree(tmp_path)["changed.job"] == b"old"


def test_one_error_tells_the_first_fault_and_how_many_others_there_are(tmp_path: Path) -> None:
    items = [File(tmp_path / name, "") for name in ("X", "Y", "Z")]
    with pytest.raises(PartlyFailed, match=r"X: it is none of the names .* \(and 2 more\)$"):
        Mirror().apply(items, owned(tmp_path))


def test_a_missing_folder_is_named_once_with_the_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "absent"
    items = [File(folder / f"{letter}.job", "") for letter in "abc"]
    with pytest.raises(AgentError) as caught:
        Mirror().apply(items, [Owned(folder, r"[a-z]+\.job")])
    message = f"{folder}: No such file or directory: create it, or mount it into the container"
    assert str(caught.value) == message


def test_a_missing_folder_is_a_fault_even_when_nothing_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="No such file or directory: create it"):
        Mirror().apply([], [Owned(tmp_path / "absent", r"x")])


def test_a_missing_folder_does_not_keep_other_folders_from_being_written(tmp_path: Path) -> None:
    folders = [tmp_path / "absent", tmp_path / "there"]
    folders[1].mkdir()
    with pytest.raises(AgentError, match="absent"):
        Mirror().apply([File(f / "a.job", "x") for f in folders], [Owned(f, r"[a-z]+\.job") for f in folders])
    assert (folders[1] / "a.job").read_text() == "x"


def test_a_folder_that_comes_later_is_filled_then(tmp_path: Path) -> None:
    folder = tmp_path / "late"
    mirror = Mirror()
    for _ in range(2):
        with pytest.raises(AgentError):
            mirror.apply(after(folder), owned(folder))
    folder.mkdir()
    mirror.apply(after(folder), owned(folder))
    assert tree(folder)["changed.job"] == b"new"


def test_a_folder_the_operator_named_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    Mirror().apply([File(tmp_path / "link/a.job", "x")], owned(tmp_path / "link"))
    assert (tmp_path / "real/a.job").read_text() == "x"


CHANGE = """
import sys
from pathlib import Path
from kube_log_watcher_core import AgentError, File, Owned
from kube_log_watcher_core.files import Mirror

folder = Path(sys.argv[1])
files = [File(folder / name, text * int(sys.argv[2])) for name, text in (("a.job", "A"), ("b.job", "B"))]
try:
    Mirror().apply(files, [Owned(folder, r"[a-z]+\\.job")])
except AgentError as error:
    print(error)
print(*sorted(f"{path.name}={path.read_text()[:1]}" for path in folder.iterdir()))
"""


def test_a_read_only_folder_is_reported_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "a.job").write_text("old")
    mounts = 'mount --bind "$1" "$1"\nmount -o remount,bind,ro "$1"'
    said, found = run_with_mounts(mounts, CHANGE, str(tmp_path), "1").splitlines()
    remedy = "Read-only file system: mount the folder read-write"
    assert said == f"{tmp_path}/a.job: {remedy} (and 1 more)"
    assert found == "a.job=o"


def test_a_full_disk_keeps_the_old_file_and_no_piece_of_the_new_one(tmp_path: Path) -> None:
    mounts = 'mount -t tmpfs -o size=64k none "$1"\necho old > "$1/a.job"'
    said, found = run_with_mounts(mounts, CHANGE, str(tmp_path), "100000").splitlines()
    assert said == f"{tmp_path}/a.job: No space left on device (and 1 more)"
    assert found == "a.job=o"


def test_a_file_that_is_mounted_itself_is_reported_with_the_remedy(tmp_path: Path) -> None:
    """Kubernetes' subPath mounts a single file: nothing can be renamed onto it."""
    (tmp_path / "a.job").write_text("old")
    mounts = 'mount --bind "$1/a.job" "$1/a.job"'
    said, found = run_with_mounts(mounts, CHANGE, str(tmp_path), "1").splitlines()
    assert said == (
        f"{tmp_path}/a.job: Device or resource busy: "
        "something is mounted there: mount the folder, not the file (no subPath)"
    )
    assert found == "a.job=o b.job=B"
