"""Folders that one watcher has to itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kube_log_watcher_core.agents.folders import Claim, FolderLocks, FolderTaken, Turn
from stalled_support import stalled
from support import child, wait_until

HOLDER = """
import sys, time
from pathlib import Path
from kube_log_watcher_core.agents.folders import Claim, FolderLocks
claim = Claim(FolderLocks(), [Path(sys.argv[1])])
print(claim.take(), flush=True)
time.sleep(600)
"""


def folders(root: Path, *names: str) -> list[Path]:
    made = [root / name for name in names]
    for folder in made:
        folder.mkdir(exist_ok=True)
    return made


def claim(*wanted: Path, locks: FolderLocks | None = None) -> Claim:
    """Claim folders as a process of its own does: a lock belongs to whoever opened the folder."""
    return Claim(locks or FolderLocks(), wanted)


def test_a_folder_is_had_by_one_until_it_lets_go(tmp_path: Path) -> None:
    one, two = claim(tmp_path), claim(tmp_path)
    assert one.take()
    assert not two.take()
    assert two.obstacle == tmp_path
    assert one.take()
    one.release()
    assert two.take()
    assert two.obstacle is None


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    assert claim(tmp_path).take()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_folder_is_free_however_its_holder_ends(tmp_path: Path, number: signal.Signals) -> None:
    with child([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"True\n"
        mine = claim(tmp_path)
        assert not mine.take()
        holder.send_signal(number)
        holder.wait(30)
        assert mine.take()


def test_all_folders_are_had_or_none(tmp_path: Path) -> None:
    a, b, c = folders(tmp_path, "a", "b", "c")
    other = claim(b)
    assert other.take()
    mine = claim(a, b, c)
    assert not mine.take()
    assert claim(a, c).take()


def test_those_who_want_the_same_folders_in_another_order_and_under_other_names_get_along(
    tmp_path: Path,
) -> None:
    a, b = folders(tmp_path, "a", "b")
    other_name = tmp_path / "x"
    other_name.symlink_to(a)
    one, two = claim(a, b), claim(b, other_name)
    assert one.take()
    assert not two.take()
    one.release()
    assert two.take()


def test_agents_of_one_process_share_a_folder_until_the_last_lets_go(tmp_path: Path) -> None:
    locks = FolderLocks()
    one, two, other = claim(tmp_path, locks=locks), claim(tmp_path, tmp_path, locks=locks), claim(tmp_path)
    assert one.take()
    assert two.take()
    one.release()
    assert not other.take()
    two.release()
    assert other.take()


def test_a_folder_that_was_replaced_is_another_one(tmp_path: Path) -> None:
    (folder,) = folders(tmp_path, "jobs")
    mine = claim(folder)
    assert mine.take()
    folder.rename(tmp_path / "old")
    mine.confirm()
    folders(tmp_path, "jobs")
    other = claim(folder)
    assert other.take()
    with pytest.raises(FolderTaken, match=f"another watcher is at work on {folder}"):
        mine.confirm()
    other.release()
    mine.confirm()
    assert not claim(folder).take()
    assert claim(tmp_path / "old").take()


def test_what_is_no_folder_is_not_locked_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert claim(file, tmp_path / "nowhere").take()


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    locks = FolderLocks()
    mine, other = claim(tmp_path, locks=locks), claim(tmp_path)
    for _ in range(10):
        assert mine.take()
        assert not other.take()
        mine.release()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_program_that_is_run_meanwhile_does_not_inherit_the_lock(tmp_path: Path) -> None:
    mine = claim(tmp_path)
    assert mine.take()
    with child(["sleep", "600"], close_fds=False):
        mine.release()
        assert claim(tmp_path).take()


class TestTurn:
    def test_who_waits_says_so_once_and_for_how_long_at_its_end(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        now = [10.0]
        other = claim(tmp_path)
        assert other.take()
        turn = Turn("agent a", claim(tmp_path), clock=lambda: now[0])
        assert [turn(), turn(), turn.waited] == [False, False, True]
        other.release()
        now[0] = 13.5
        assert turn()
        assert [record.message for record in caplog.records] == [
            f"agent a waits: another watcher is at work on {tmp_path}; this one observes until it ends",
            "agent a takes over: the other watcher ended after 3.5 s",
        ]

    def test_who_need_not_wait_says_nothing(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO")
        turn = Turn("agent a", claim(tmp_path))
        assert turn()
        assert not turn.waited
        assert caplog.records == []


def test_a_folder_that_can_t_be_opened_holds_up_nobody_who_wants_another(tmp_path: Path) -> None:
    """As a folder on a network's file system may take for ever to answer."""
    far, near = folders(tmp_path, "far", "near")
    locks = FolderLocks()
    held = threading.Thread(target=claim(far, locks=locks).take, daemon=True)
    with stalled(far) as mounted:
        held.start()
        wait_until(lambda: mounted.waiting)
        mine = threading.Thread(target=claim(near, locks=locks).take, daemon=True)
        mine.start()
        mine.join(10)
        assert not mine.is_alive()
        assert held.is_alive()
        assert not claim(near).take()
    held.join(30)
    assert not held.is_alive()


def test_many_threads_that_take_and_leave_one_folder_never_take_each_other_for_another_watcher(
    tmp_path: Path,
) -> None:
    locks, taken = FolderLocks(), list[Path]()

    def come_and_go() -> None:
        for _ in range(300):
            mine = claim(tmp_path, locks=locks)
            if not mine.take():
                taken.append(tmp_path)
            mine.release()

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert taken == []
    assert claim(tmp_path).take()
