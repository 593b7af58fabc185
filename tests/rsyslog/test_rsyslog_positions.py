"""rsyslog's notes count for the path and inode that they name; by what can't be read nothing goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kube_log_watcher_core import LogFile, Progress
from kube_log_watcher_rsyslog.positions import StateFolder, parse_state

DATA = Path(__file__).parent.parent / "data" / "rsyslog"
"""States that rsyslog 8.2302 has written: at a file's end, within a message, and in a line without an end."""
NOW = 2e9
LOG = LogFile(Path("/spool/a.log"), 7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    note(tmp_path, "imfile-state:7")
    return tmp_path


def note(folder: Path, name: str, *, path: str = str(LOG.path), read: int = 42) -> None:
    (folder / name).write_text(json.dumps({"filename": path, "curr_offs": read, "strt_offs": read}))


def progress(folder: Path, file: LogFile = LOG) -> Progress | None:
    return StateFolder(folder, wall=lambda: NOW).progress(file)


@pytest.mark.parametrize(
    ("name", "read"), [("state-at-end.json", 9750), ("state-in-message.json", 52), ("state-in-line.json", 68)]
)
def test_a_state_of_the_real_program_is_read(name: str, read: int) -> None:
    path, found = parse_state((DATA / name).read_bytes())
    assert path.startswith("/var/log/kube-log-watcher/spool/default_shop-1_uid-1/main-")
    assert found == read


def test_a_file_that_rsyslog_has_a_note_of_is_read_that_far(folder: Path) -> None:
    assert progress(folder) == Progress(read_bytes=42, at=NOW)


def test_of_two_notes_of_one_file_the_further_one_counts(folder: Path) -> None:
    """A note's name gets a hash when the file has grown."""
    note(folder, "imfile-state:7:0123456789abcdef", read=1000)
    assert progress(folder) == Progress(read_bytes=1000, at=NOW)


@pytest.mark.parametrize("other", [LogFile(LOG.path, 8), LogFile(Path("/spool/b.log"), 7)], ids=str)
def test_of_another_file_with_the_same_path_or_inode_nothing_was_read(folder: Path, other: LogFile) -> None:
    assert progress(folder, other) == Progress(read_bytes=0, at=NOW)


def test_a_file_whose_inode_nobody_knows_is_not_judged(folder: Path) -> None:
    assert progress(folder, LogFile(LOG.path)) is None


def test_without_a_state_directory_nothing_goes_by_time(tmp_path: Path) -> None:
    assert progress(tmp_path / "absent") == Progress(read_bytes=0, at=NOW)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "7", '{"filename": "/x"}', '{"filename": 7, "curr_offs": 1}', '{"curr_offs": 1}'],
)
def test_of_a_note_that_cannot_be_read_nothing_goes_by_time(folder: Path, content: str) -> None:
    """It may be written just now, for rsyslog has been away for longer than unaccounted segments stay."""
    (folder / "imfile-state:7").write_text(content)
    assert progress(folder) == Progress(read_bytes=0, at=NOW)


def test_other_files_of_the_folder_are_left_alone(folder: Path) -> None:
    for name in ("imfile-state:", "imfile-state:x", "imfile-state:\N{SUPERSCRIPT TWO}", "queue.0000001"):
        (folder / name).write_text("{")
    (folder / "imfile-state:9").mkdir()
    assert progress(folder) == Progress(read_bytes=42, at=NOW)


def test_a_note_that_comes_later_is_found(folder: Path) -> None:
    state_dir, other = StateFolder(folder), LogFile(Path("/spool/b.log"), 8)
    for read in (0, 5):
        if read:
            note(folder, "imfile-state:8", path="/spool/b.log", read=read)
        found = state_dir.progress(other)
        assert found is not None
        assert found.read_bytes == read
