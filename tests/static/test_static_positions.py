"""Positions: only path and inode together name a file, and what can't be read is no evidence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kube_log_watcher_core import AgentConfigError, LogFile, Progress
from kube_log_watcher_static import Offsets, PositionFile, by_path
from kube_log_watcher_testing import MakeReader, PositionContract

NOW = 1000.0
LOG = LogFile(Path("/spool/a.log"), 7)


def parse(content: bytes) -> Offsets:
    return {(path, inode): offset for path, inode, offset in json.loads(content)}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "positions"
    path.write_text(json.dumps([["/spool/a.log", 7, 42]]))
    return path


@pytest.fixture
def positions(kept: Path) -> PositionFile:
    return PositionFile(kept, parse, wall=lambda: NOW)


def test_a_file_that_the_shipper_has_a_note_of_is_read_that_far(positions: PositionFile) -> None:
    assert positions.progress(LOG) == Progress(read_bytes=42, at=NOW)


@pytest.mark.parametrize("other", [LogFile(LOG.path, 8), LogFile(Path("/spool/b.log"), 7)], ids=str)
def test_of_another_file_with_the_same_path_or_inode_nothing_was_read(
    positions: PositionFile, other: LogFile
) -> None:
    assert positions.progress(other) == Progress(read_bytes=0, at=NOW)


def test_a_file_whose_inode_nobody_knows_is_not_judged(positions: PositionFile) -> None:
    assert positions.progress(LogFile(LOG.path)) is None


@pytest.mark.parametrize(
    "spoil",
    [Path.unlink, lambda path: path.write_text("{"), lambda path: (path.unlink(), path.mkdir())],
    ids=["missing", "broken", "a folder"],
)
def test_positions_that_cannot_be_read_are_unknown(
    kept: Path, positions: PositionFile, spoil: Callable[[Path], object]
) -> None:
    spoil(kept)
    assert positions.progress(LOG) is None


def test_a_pipe_in_place_of_the_positions_keeps_nobody_waiting(kept: Path, positions: PositionFile) -> None:
    kept.unlink()
    os.mkfifo(kept)
    assert positions.progress(LOG) is None


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


class Counting(PositionFile):
    def __init__(self, path: Path, clock: Clock) -> None:
        self.parsed = 0

        def count(content: bytes) -> Offsets:
            self.parsed += 1
            return parse(content)

        super().__init__(path, count, wall=clock)


def write(kept: Path, offset: int, *, at: float) -> None:
    kept.write_text(json.dumps([["/spool/a.log", 7, offset]]))
    os.utime(kept, (at, at))


def test_positions_are_parsed_again_only_when_they_have_changed(kept: Path) -> None:
    clock = Clock()
    positions = Counting(kept, clock)
    write(kept, 42, at=NOW - 60)
    for _ in range(3):
        assert positions.progress(LOG) == Progress(read_bytes=42, at=clock.now)
        clock.now += 10
    assert positions.parsed == 1
    write(kept, 100, at=NOW - 60)
    assert positions.progress(LOG) == Progress(read_bytes=100, at=clock.now)
    assert positions.parsed == 2


def test_a_change_within_the_same_tick_of_the_file_systems_clock_is_seen(kept: Path) -> None:
    """Of a file that is written in place, inode, size and time may all be the same."""
    clock = Clock()
    positions = Counting(kept, clock)
    write(kept, 42, at=NOW)
    seen = os.stat(kept)
    assert positions.progress(LOG) == Progress(read_bytes=42, at=NOW)
    with open(kept, "r+b") as file:
        file.write(kept.read_bytes().replace(b"42", b"99"))
    os.utime(kept, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    positions._seen = (*positions._seen[:3], os.stat(kept).st_ctime_ns)  # the one time that can't be set
    clock.now += 0.5
    assert positions.progress(LOG) == Progress(read_bytes=99, at=clock.now)


def test_many_questions_at_once_cost_one_reading_and_are_answered_as_of_that(kept: Path) -> None:
    clock = Clock()
    positions = Counting(kept, clock)
    write(kept, 42, at=NOW)
    for _ in range(1000):
        assert positions.progress(LOG) == Progress(read_bytes=42, at=NOW)
        clock.now += 0.0001
    assert positions.parsed == 1


def test_notes_without_inodes_are_found_by_the_path(kept: Path) -> None:
    positions = PositionFile(
        kept, lambda content: {path: offset for path, _, offset in json.loads(content)}, find=by_path
    )
    found = [positions.progress(LogFile(LOG.path, inode)) for inode in (7, 8)]
    assert [each and each.read_bytes for each in found] == [42, 42]


def test_positions_that_are_not_there_yet_are_no_fault(kept: Path, positions: PositionFile) -> None:
    kept.unlink()
    positions.check()


def test_a_folder_of_positions_that_is_not_mounted_is_told(tmp_path: Path) -> None:
    with pytest.raises(AgentConfigError, match=r"/absent is no folder: mount the one .* \(klw.pos\)"):
        PositionFile(tmp_path / "absent" / "klw.pos", parse).check()


def test_what_can_not_be_read_as_positions_is_told(kept: Path, positions: PositionFile) -> None:
    kept.write_text("{")
    with pytest.raises(AgentConfigError, match="can't be read as the shipper's positions"):
        positions.check()


class TestPositionFile(PositionContract):
    """The reader that most agents have keeps the contract."""

    @pytest.fixture
    def make_reader(self) -> MakeReader:
        return lambda place: PositionFile(place, parse).progress

    def note(self, place: Path, offsets: Mapping[LogFile, int]) -> None:
        place.write_text(json.dumps([[str(file.path), file.inode, read] for file, read in offsets.items()]))
