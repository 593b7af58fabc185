"""Checkpoints in the form in which Vector writes them, by its sources."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kube_log_watcher_core import AgentConfigError, LogFile, NodeContext
from kube_log_watcher_testing.factories import make_target
from kube_log_watcher_vector import VectorAgent, VectorSettings
from kube_log_watcher_vector.positions import Checkpoint, parse_checkpoints

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
BY_INODE = (
    b'{"version":"1","checkpoints":[{"fingerprint":{"first_lines_checksum":17723523412341},"position":7,'
    b'"modified":"2026-11-25T11:00:00Z"},{"fingerprint":{"dev_inode":[2049,4711]},"position":42,'
    b'"modified":"2026-11-25T12:00:00.523332211Z"}]}'
)
BY_CHECKSUM = (
    b'{"version":"1","checkpoints":[{"fingerprint":{"first_lines_checksum":17723523412341},"position":7,'
    b'"modified":"2026-11-25T11:00:00Z"}]}'
)


def test_positions_are_found_by_device_and_inode() -> None:
    assert parse_checkpoints(BY_INODE) == {(2049, 4711): Checkpoint(42, NOON + 0.523332)}


def test_a_source_that_has_read_nothing_yet_has_none() -> None:
    assert parse_checkpoints(b'{"version":"1","checkpoints":[]}') == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"1"',
        b'{"version":"2","checkpoints":[]}',
        b'{"version":"1","checkpoints":[{"fingerprint":{"dev_inode":[1]},"position":1,"modified":"x"}]}',
        b"[" * 100_000,
        BY_CHECKSUM,
    ],
    ids=lambda content: ascii(content[:60]),
)
def test_what_tells_nothing_by_device_and_inode_is_no_evidence(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_checkpoints(content)


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    path = tmp_path / "main.log"
    path.write_bytes(b"x" * 100)
    os.utime(path, (NOON, NOON))
    return path


def read_up_to(folder: Path, file: LogFile, *, position: int, noted_at: float) -> int | None:
    """Ask an agent, when Vector has noted a position for the device and inode of the segment."""
    status = (folder / "main.log").stat()
    entry = {
        "fingerprint": {"dev_inode": [status.st_dev, status.st_ino]},
        "position": position,
        "modified": datetime.fromtimestamp(noted_at, UTC).isoformat().replace("+00:00", "Z"),
    }
    checkpoints = folder / "checkpoints.json"
    checkpoints.write_text(json.dumps({"version": "1", "checkpoints": [entry]}))
    agent = VectorAgent(VectorSettings(folder=folder, checkpoints=checkpoints), NodeContext(has_spool=True))
    progress = agent.read_up_to(make_target(), file)
    return None if progress is None else progress.read_bytes


def test_what_was_noted_since_the_last_write_is_about_that_file(tmp_path: Path, segment: Path) -> None:
    file = LogFile(segment, segment.stat().st_ino)
    assert read_up_to(tmp_path, file, position=100, noted_at=NOON + 1) == 100


def test_what_was_noted_before_is_of_an_earlier_file_with_that_inode(tmp_path: Path, segment: Path) -> None:
    file = LogFile(segment, segment.stat().st_ino)
    assert read_up_to(tmp_path, file, position=100, noted_at=NOON - 1) == 0


def test_of_another_file_in_the_segments_place_nothing_was_read(tmp_path: Path, segment: Path) -> None:
    file = LogFile(segment, segment.stat().st_ino + 1)
    assert read_up_to(tmp_path, file, position=100, noted_at=NOON + 1) == 0


def test_a_segment_that_can_not_be_looked_at_is_not_judged(tmp_path: Path, segment: Path) -> None:
    file = LogFile(tmp_path / "elsewhere" / "main.log", segment.stat().st_ino)
    assert read_up_to(tmp_path, file, position=100, noted_at=NOON + 1) is None


def test_checkpoints_by_checksum_are_told_by_check(tmp_path: Path) -> None:
    checkpoints = tmp_path / "checkpoints.json"
    checkpoints.write_bytes(BY_CHECKSUM)
    settings = VectorSettings(folder=tmp_path, checkpoints=checkpoints)
    with pytest.raises(AgentConfigError, match=r"not of device and inode.*: name another file, or none"):
        VectorAgent(settings, NodeContext(has_spool=True)).check()
