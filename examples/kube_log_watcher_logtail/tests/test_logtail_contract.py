"""The agent keeps the contract of agents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from kube_log_watcher_core import LogFile, LogTarget, NodeContext
from kube_log_watcher_logtail import LogtailAgent, LogtailSettings
from kube_log_watcher_testing import AgentContract, MakeAgent


class TestLogtailAgent(AgentContract):
    """Its shipper looks a log's metadata up by the container id in a segment's name."""

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        """Make an agent that writes into a folder; logtail's offsets are beside it."""
        return lambda folder: LogtailAgent(
            LogtailSettings(folder=folder, offsets=folder.parent), NodeContext(has_spool=True)
        )

    def read_back(self, folder: Path) -> Mapping[str, object]:
        """Read all files, by the container's id."""
        return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}

    def name_of(self, target: LogTarget) -> str:
        """Name a target as its file is named."""
        return target.id

    def account(self, folder: Path, file: LogFile, read_bytes: int) -> None:
        """Write what logtail writes: inode and offset, each on a line."""
        (folder.parent / file.path.name).write_text(f"{file.inode}\n{read_bytes}\n")
