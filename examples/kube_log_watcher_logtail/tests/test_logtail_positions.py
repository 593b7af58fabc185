"""What logtail notes keeps the contract of positions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kube_log_watcher_core import LogFile, NodeContext
from kube_log_watcher_logtail import LogtailAgent, LogtailSettings
from kube_log_watcher_testing import MakeReader, PositionContract, ReadUpTo, make_target


class TestOffsets(PositionContract):
    """A file for each segment, with two lines: inode and offset."""

    @pytest.fixture
    def make_reader(self) -> MakeReader:
        """Make a reader for the folder of these files."""

        def make(place: Path) -> ReadUpTo:
            agent = LogtailAgent(LogtailSettings(folder=place, offsets=place), NodeContext(has_spool=True))
            return lambda file: agent.read_up_to(make_target(), file)

        return make

    def note(self, place: Path, offsets: Mapping[LogFile, int]) -> None:
        """Write what logtail writes."""
        place.mkdir(exist_ok=True)
        for file, read in offsets.items():
            (place / file.path.name).write_text(f"{file.inode}\n{read}\n")
