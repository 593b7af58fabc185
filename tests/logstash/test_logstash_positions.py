"""A ``sincedb`` that the code of Logstash's file input wrote (4.4.7): four segments, of which one is gone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kube_log_watcher_core import LogFile, NodeContext
from kube_log_watcher_logstash import LogstashAgent, LogstashSettings
from kube_log_watcher_logstash.positions import parse_sincedb
from kube_log_watcher_static import PositionFile
from kube_log_watcher_testing import MakeReader, PositionContract
from kube_log_watcher_testing.factories import make_target

KEPT = (Path(__file__).parent.parent / "data" / "logstash" / "klw.sincedb").read_bytes()
FOLDER = "/var/log/kube-log-watcher/spool/default_shop-1_4f6c"
MAIN = f"{FOLDER}/main-{'ab' * 32}"
HALF = f"{FOLDER}/side-{'cd' * 32}.1764040000.log"


def test_offsets_are_found_by_path_and_inode() -> None:
    assert parse_sincedb(KEPT) == {
        (f"{MAIN}.1764040001.log", 6): 95,
        (f"{MAIN}.1764040002.log", 7): 50,
        (HALF, 8): 0,
    }


def test_what_it_knows_of_an_inode_without_a_path_is_no_evidence() -> None:
    """The number of a file that is gone may be another's by now."""
    assert KEPT.startswith(b"5 0 39 50 ")
    assert not [inode for _, inode in parse_sincedb(KEPT) if inode == 5]


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"1 2 3 4\n", b"x 0 39 50 1.5 /a\n", b"1 0 39 -5 1.5 /a\n", b"\0" * 99], ids=ascii
)
def test_what_is_no_note_is_none(content: bytes) -> None:
    assert parse_sincedb(content) == {}


@pytest.mark.parametrize("length", range(0, len(KEPT), 7))
def test_half_a_file_gives_whole_notes_only(length: int) -> None:
    assert parse_sincedb(KEPT[:length]).items() <= parse_sincedb(KEPT).items()


@pytest.mark.parametrize(("inode", "read"), [(6, 95), (60, 0)])
def test_the_agent_tells_how_far_a_segment_is_read(tmp_path: Path, inode: int, read: int) -> None:
    (tmp_path / "klw.sincedb").write_bytes(KEPT)
    settings = LogstashSettings(folder=tmp_path, sincedb=tmp_path / "klw.sincedb")
    agent = LogstashAgent(settings, NodeContext(has_spool=True))
    progress = agent.read_up_to(make_target(), LogFile(Path(f"{MAIN}.1764040001.log"), inode))
    assert progress is not None
    assert progress.read_bytes == read


class TestSincedb(PositionContract):
    """A ``sincedb`` as Logstash writes it."""

    @pytest.fixture
    def make_reader(self) -> MakeReader:
        return lambda place: PositionFile(place, parse_sincedb).progress

    def note(self, place: Path, offsets: Mapping[LogFile, int]) -> None:
        lines = (
            f"{file.inode} 0 39 {offset} 1795578372.55 {file.path}\n" for file, offset in offsets.items()
        )
        place.write_text("".join(lines))
