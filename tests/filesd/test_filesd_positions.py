"""Positions in the forms in which Promtail and Alloy write them, by their sources."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import LogFile, LogTarget, NodeContext
from kube_log_watcher_filesd import FilesdAgent, FilesdSettings
from kube_log_watcher_filesd.positions import parse_positions
from kube_log_watcher_static import PositionFile, by_path
from kube_log_watcher_testing import MakeReader, PositionContract
from kube_log_watcher_testing.factories import make_container, make_target

SEGMENT = "/var/log/kube-log-watcher/spool/default_shop-1_u/main-0a.1764040000.log"
PROMTAIL = f'positions:\n  cursor-journal: s=96c;i=1\n  {SEGMENT}: "42"\n'
ALLOY = f"""positions:
  ? path: {SEGMENT}
    labels: '{{namespace="default", version="1"}}'
  : "42"
  ? path: {SEGMENT}
    labels: '{{namespace="default", version="2"}}'
  : "7"
  ? path: cursor-loki.source.journal.klw
    labels: '{{}}'
  : s=96c;i=1
"""


@pytest.mark.parametrize("content", [PROMTAIL, ALLOY], ids=["Promtail", "Alloy"])
def test_the_offset_of_a_file_is_found_by_its_path(content: str) -> None:
    assert parse_positions(content.encode()) == {SEGMENT: 42}


@pytest.mark.parametrize("content", ["", "positions: {}\n", "positions:\n", "other: 1\n"])
def test_a_shipper_that_has_noted_nothing_has_read_nothing(content: str) -> None:
    assert parse_positions(content.encode()) == {}


@pytest.mark.parametrize(
    "content", ["positions: [", "- a\n", "positions: text\n", "[" * 5000, "\0", "a: &a\n  ? *b\n"], ids=ascii
)
def test_what_is_no_file_of_positions_is_not_taken_for_one(content: str) -> None:
    with pytest.raises(ValueError, match="no "):
        parse_positions(content.encode())


def test_many_names_for_one_list_take_no_time() -> None:
    doubling = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    began = time.process_time()
    assert parse_positions(f"a0: &a0 [x]\n{doubling}positions: {{}}\n".encode()) == {}
    assert time.process_time() - began < 10


@pytest.fixture
def spooled() -> LogTarget:
    container = attrs.evolve(make_container(), spool=Path("/var/log/kube-log-watcher/spool"))
    return attrs.evolve(make_target(container), pattern=SEGMENT.replace("1764040000", "*"))


def make_agent(folder: Path) -> FilesdAgent:
    return FilesdAgent(FilesdSettings(folder=folder, positions=folder / "positions.yml"), NodeContext())


def test_a_segment_is_read_as_far_as_its_note_says(tmp_path: Path, spooled: LogTarget) -> None:
    (tmp_path / "positions.yml").write_text(ALLOY)
    agent = make_agent(tmp_path)
    noted = agent.read_up_to(spooled, LogFile(Path(SEGMENT), 7))
    other = agent.read_up_to(spooled, LogFile(Path(SEGMENT).with_name("main-0a.1764040001.log"), 7))
    assert (noted and noted.read_bytes, other and other.read_bytes) == (42, 0)


def test_without_a_spool_the_path_alone_is_no_evidence(tmp_path: Path) -> None:
    """Another file may have had it before."""
    target = make_target()
    (tmp_path / "positions.yml").write_text(f'positions:\n  {target.log_path}: "42"\n')
    assert make_agent(tmp_path).read_up_to(target, LogFile(target.log_path, 7)) is None


class TestPromtail(PositionContract):
    """Positions as Promtail writes them."""

    no_inodes = "Promtail notes a file's path and nothing else of it"

    @pytest.fixture
    def make_reader(self) -> MakeReader:
        return lambda place: PositionFile(place, parse_positions, find=by_path).progress

    def note(self, place: Path, offsets: Mapping[LogFile, int]) -> None:
        notes = (f'  {file.path}: "{offset}"\n' for file, offset in offsets.items())
        place.write_text("positions:\n" + "".join(notes))


class TestAlloy(TestPromtail):
    """Positions as Alloy writes them."""

    def note(self, place: Path, offsets: Mapping[LogFile, int]) -> None:
        notes = (
            f"  ? path: {file.path}\n    labels: '{{}}'\n  : \"{offset}\"\n"
            for file, offset in offsets.items()
        )
        place.write_text("positions:\n" + "".join(notes))
