"""The agent for file_sd keeps the contract of agents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from kube_log_watcher_core import LogFile, NodeContext
from kube_log_watcher_filesd import FilesdAgent, FilesdSettings
from kube_log_watcher_testing import AgentContract, MakeAgent


class TestFilesdAgent(AgentContract):
    """Its shipper attaches the labels that don't begin with two underscores."""

    no_inodes = "Promtail notes a file's path and nothing else of it"

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        return lambda folder: FilesdAgent(
            FilesdSettings(folder=folder, positions=folder / "positions.yaml"), NodeContext()
        )

    def read_back(self, folder: Path) -> Mapping[str, object]:
        groups = json.loads((folder / "kube-log-watcher.json").read_text())
        return {
            group["labels"]["__path__"]: {
                name: value for name, value in group["labels"].items() if not name.startswith("__")
            }
            for group in groups
        }

    def account(self, folder: Path, file: LogFile, read_bytes: int) -> None:
        (folder / "positions.yaml").write_text(json.dumps({"positions": {str(file.path): str(read_bytes)}}))
