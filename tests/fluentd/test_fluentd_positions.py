"""A ``pos_file`` that Fluentd 1.16.9 wrote: four segments, of which one is gone and one has half a line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kube_log_watcher_core import LogFile, NodeContext
from kube_log_watcher_fluentd import FluentdAgent, FluentdSettings
from kube_log_watcher_fluentd.positions import parse_pos_file
from kube_log_watcher_static import PositionFile
from kube_log_watcher_testing import MakeReader, PositionContract
from kube_log_watcher_testing.factories import make_target

KEPT = (Path(__file__).parent.parent / "data" / "fluentd" / "klw.pos").read_bytes()
FOLDER = "/var/log/kube-log-watcher/spool/default_shop-1_4f6c"
MAIN = f"{FOLDER}/main-{'ab' * 32}"
HALF = f"{FOLDER}/side-{'cd' * 32}.1764040000.log"


def test_offsets_are_found_by_path_and_inode() -> None:
    assert parse_pos_file(KEPT) == {
        (f"{MAIN}.1764040001.log", 7): 50,
        (f"{MAIN}.1764040002.log", 8): 50,
        (HALF, 9): 0,
    }


def test_a_file_that_is_followed_no_more_is_not_taken_for_read() -> None:
    """Its offset is larger than any file."""
    assert b"ffffffffffffffff\t0000000000000006" in KEPT
    assert not [path for path, _ in parse_pos_file(KEPT) if path.endswith("1764040000.log") and path != HALF]


@pytest.mark.parametrize("length", range(0, len(KEPT), 7))
def test_half_a_file_gives_whole_notes_only(length: int) -> None:
    """It is written in place, and written anew from time to time."""
    assert parse_pos_file(KEPT[:length]).items() <= parse_pos_file(KEPT).items()


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\0" * 100, b"/a\tx\ty\n", b"a\t" * 1000])
def test_what_is_no_note_is_none(content: bytes) -> None:
    assert parse_pos_file(content) == {}


@pytest.mark.parametrize(("inode", "read"), [(7, 50), (70, 0)])
def test_the_agent_tells_how_far_a_segment_is_read(tmp_path: Path, inode: int, read: int) -> None:
    (tmp_path / "klw.pos").write_bytes(KEPT)
    settings = FluentdSettings(folder=tmp_path, pos_file=tmp_path / "klw.pos")
    agent = FluentdAgent(settings, NodeContext(has_spool=True))
    progress = agent.read_up_to(make_target(), LogFile(Path(f"{MAIN}.1764040001.log"), inode))
    assert progress is not None
    assert progress.read_bytes == read


def test_without_a_pos_file_nobody_knows(tmp_path: Path) -> None:
    agent = FluentdAgent(FluentdSettings(folder=tmp_path), NodeContext(has_spool=True))
    assert agent.read_up_to(make_target(), LogFile(Path(HALF), 9)) is None


class TestPosFile(PositionContract):
    """A ``pos_file`` as Fluentd writes it."""

    @pytest.fixture
    def make_reader(self) -> MakeReader:
        return lambda place: PositionFile(place, parse_pos_file).progress

    def note(self, place: Path, offsets: Mapping[LogFile, int]) -> None:
        lines = (f"{file.path}\t{offset:016x}\t{file.inode:016x}\n" for file, offset in offsets.items())
        place.write_text("".join(lines))
