"""How far the Scalyr agent has read, from checkpoints as it writes them and from ones that it doesn't."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from kube_log_watcher_core import LogFile, Progress
from kube_log_watcher_scalyr.checkpoints import MOST_BYTES, Checkpoints, progress_of
from scalyr_support import a_target, an_agent, container_id

LOG = Path("/logs/pod[1]*/0.log")
LATEST, FULL, ACTIVE = (
    "checkpoints.json",
    "checkpoints-worker-default-0.json",
    "active-checkpoints-worker-default-0.json",
)


def a_file(start: int, end: int, *, current: bool = True) -> dict[str, object]:
    return {
        "position_start": start,
        "position_end": end,
        "last_known_size": end - start,
        "is_log_file": current,
        "inode": 7,
    }


def a_state(*files: object, at: object = 1000.5, shipped: object = 8070) -> dict[str, object]:
    return {
        "position": 0,
        "pending_files": list(files),
        "sequence_id": "46652d6e",
        "sequence_number": shipped,
        "time": at,
    }


def put(folder: Path, name: str, state: object, *, at: object = 2000.5, path: Path = LOG) -> None:
    """Replace a file as the agent does."""
    (folder / "new").write_text(json.dumps({"time": at, "checkpoints": {str(path): state}}))
    (folder / "new").rename(folder / name)


def test_the_offset_is_that_of_the_first_byte_which_is_not_shipped() -> None:
    assert progress_of(a_state(a_file(-7990, 0)), 0.0) == Progress(7990, at=1000.5)


def test_what_the_agent_knows_of_and_has_not_shipped_is_pending() -> None:
    assert progress_of(a_state(a_file(-100, 50)), 0.0) == Progress(100, at=1000.5, pending=True)


def test_a_rotated_file_with_unread_lines_is_pending_and_the_offset_is_the_new_ones() -> None:
    both = a_state(a_file(-100, 50, current=False), a_file(50, 80))
    assert progress_of(both, 0.0) == Progress(0, at=1000.5, pending=True)


def test_a_deleted_file_that_is_still_open_counts_like_any() -> None:
    assert progress_of(a_state(a_file(-100, 0, current=False)), 0.0) == Progress(100, at=1000.5)


def test_without_files_the_agent_has_let_go_and_the_count_of_all_that_was_shipped_is_left() -> None:
    assert progress_of(a_state(), 0.0) == Progress(8070, at=1000.5, closed=True)


def test_without_a_time_of_its_own_a_state_is_as_old_as_its_file() -> None:
    state = a_state(a_file(-1, 0))
    del state["time"]
    assert progress_of(state, 1234.5) == Progress(1, at=1234.5)


@pytest.mark.parametrize(
    "state",
    [
        None,
        7,
        [],
        {},
        {"initial_position": 0},
        {"position": 0},
        {"position": 0, "pending_files": {}},
        {"position": 0, "pending_files": []},
        {"pending_files": [a_file(-1, 0)]},
        {"position": "0", "pending_files": [a_file(-1, 0)]},
        {"position": True, "pending_files": [a_file(-1, 0)]},
        {"position": float("nan"), "pending_files": [a_file(-1, 0)]},
        {"position": 10**400, "pending_files": [a_file(-1, 0)]},
        {"position": 0, "pending_files": [7]},
        {"position": 0, "pending_files": [{}, a_file(-1, 0)]},
        {"position": 0, "pending_files": [{"position_start": None, "position_end": 0}]},
    ],
)
def test_a_state_that_makes_no_sense_is_no_evidence(state: object) -> None:
    assert progress_of(state, 0.0) is None


def test_the_latest_of_all_files_counts(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    put(tmp_path, LATEST, a_state(a_file(-10, 0), at=10.0))
    assert checkpoints.progress(LOG) == Progress(10, at=10.0)
    put(tmp_path, ACTIVE, a_state(a_file(-30, 0), at=30.0))
    put(tmp_path, FULL, a_state(a_file(-20, 0), at=20.0))
    assert checkpoints.progress(LOG) == Progress(30, at=30.0)
    (tmp_path / ACTIVE).unlink()
    assert checkpoints.progress(LOG) == Progress(20, at=20.0)


def test_a_log_that_no_file_mentions_has_no_evidence(tmp_path: Path) -> None:
    put(tmp_path, LATEST, a_state(a_file(-10, 0)))
    assert Checkpoints(tmp_path).progress(Path("/logs/other.log")) is None


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    put(tmp_path, FULL, a_state(a_file(-10, 0)))
    assert checkpoints.progress(LOG) == Progress(10, at=1000.5)
    status = (tmp_path / FULL).stat()
    with (tmp_path / FULL).open("r+b") as file:
        file.write(b"#" * status.st_size)
    os.utime(tmp_path / FULL, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert checkpoints.progress(LOG) == Progress(10, at=1000.5)
    os.utime(tmp_path / FULL, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert checkpoints.progress(LOG) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"checkpoints": []}',
        b'{"time": 1}',
        b"[" * 100_000,
        b"\xff\xfe",
        b"\0" * 99,
    ],
)
def test_a_damaged_file_says_nothing_and_the_others_count(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, LATEST, a_state(a_file(-10, 0)))
    (tmp_path / ACTIVE).write_bytes(content)
    assert Checkpoints(tmp_path).progress(LOG) == Progress(10, at=1000.5)


def test_no_link_pipe_folder_or_huge_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    put(tmp_path / "elsewhere", "theirs", a_state(a_file(-10, 0)))
    (tmp_path / LATEST).symlink_to(tmp_path / "elsewhere" / "theirs")
    os.mkfifo(tmp_path / FULL)
    (tmp_path / ACTIVE).mkdir()
    huge = tmp_path / "checkpoints-worker-huge-0.json"
    put(tmp_path, huge.name, a_state(a_file(-10, 0)))
    os.truncate(huge, MOST_BYTES + 1)
    assert Checkpoints(tmp_path).progress(LOG) is None


def test_many_files_are_read_as_far_as_all_of_them_have_bounds(tmp_path: Path) -> None:
    states = {"/other.log": a_state(a_file(-10, 0))}
    padding = " " * (MOST_BYTES // 3)
    for number in range(4):
        name = f"checkpoints-worker-{number}.json"
        document = {"time": 1.0, "checkpoints": {f"/{number}.log": states["/other.log"]}}
        (tmp_path / name).write_text(json.dumps(document) + padding)
    checkpoints = Checkpoints(tmp_path)
    for _ in range(2):
        told = [checkpoints.progress(Path(f"/{number}.log")) is not None for number in range(4)]
        assert told == [True, True, False, False]


@pytest.mark.parametrize(
    "name", ["checkpoints.json~", "journald-checkpoints.json", "checkpoints-worker-.json"]
)
def test_other_files_are_not_read(tmp_path: Path, name: str) -> None:
    put(tmp_path, name, a_state(a_file(-10, 0)))
    assert Checkpoints(tmp_path).progress(LOG) is None


def test_a_folder_that_goes_away_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "data"
    checkpoints = Checkpoints(folder)
    with caplog.at_level(logging.WARNING):
        assert [checkpoints.progress(LOG) for _ in range(3)] == [None] * 3
        assert len(caplog.records) == 1
        folder.mkdir()
        put(folder, LATEST, a_state(a_file(-10, 0)))
        assert checkpoints.progress(LOG) == Progress(10, at=1000.5)
        (folder / LATEST).unlink()
        folder.rmdir()
        assert checkpoints.progress(LOG) is None
    assert len(caplog.records) == 2


@pytest.mark.parametrize("linked", [True, False])
def test_an_agent_tells_by_the_path_that_is_in_its_file(tmp_path: Path, *, linked: bool) -> None:
    data = tmp_path / "data"
    data.mkdir()
    agent = an_agent(tmp_path, data_path=data, linked_paths=linked)
    target = a_target(log_path=LOG)
    link = agent.settings.dest_path / container_id(1) / "shop-v7.log"
    put(data, FULL, a_state(a_file(-10, 0)), path=link if linked else LOG)
    assert agent.read_up_to(target, LogFile(target.log_path)) == Progress(10, at=1000.5)
    put(data, FULL, a_state(a_file(-10, 0)), path=LOG if linked else link)
    assert agent.read_up_to(target, LogFile(target.log_path)) is None


def test_without_a_data_folder_there_is_no_evidence(tmp_path: Path) -> None:
    assert an_agent(tmp_path).read_up_to(a_target(), LogFile(LOG)) is None


def test_states_of_many_logs_are_kept_apart(tmp_path: Path) -> None:
    states: dict[str, Any] = {f"/logs/{n}.log": a_state(a_file(-n, 0)) for n in range(1000)}
    (tmp_path / FULL).write_text(json.dumps({"time": 1.0, "checkpoints": states}))
    progress = Checkpoints(tmp_path).progress(Path("/logs/77.log"))
    assert progress == Progress(77, at=1000.5)
