"""The Scalyr agent's plugin keeps the contract of agents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from kube_log_watcher_core import LogFile
from kube_log_watcher_scalyr import ScalyrAgent
from kube_log_watcher_testing import AgentContract, MakeAgent
from scalyr_support import an_agent


class TestScalyrAgent(AgentContract):
    """The Scalyr agent reads one JSON file, in a folder of its own, and people the links in another."""

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        def make(folder: Path) -> ScalyrAgent:
            (folder / "data").mkdir(exist_ok=True)
            return an_agent(folder, data_path=folder / "data")

        return make

    def read_back(self, folder: Path) -> Mapping[str, object]:
        document = json.loads((folder / "config" / "agent.json").read_text())
        return {log["path"]: log for log in document["logs"]}

    def account(self, folder: Path, file: LogFile, read_bytes: int) -> None:
        pending = {"position_start": -read_bytes, "position_end": 1, "inode": file.inode, "is_log_file": True}
        state = {"time": 1.5, "position": 0, "pending_files": [pending]}
        document = {"time": 1.5, "checkpoints": {str(file.path): state}}
        (folder / "data" / "checkpoints.json").write_text(json.dumps(document))
