"""The Scalyr agent's plugin keeps the contract of agents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from kube_log_watcher_testing import AgentContract, MakeAgent
from scalyr_support import an_agent


class TestScalyrAgent(AgentContract):
    """The Scalyr agent reads one JSON file, in a folder of its own, and people the links in another."""

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        return an_agent

    def read_back(self, folder: Path) -> Mapping[str, object]:
        document = json.loads((folder / "config" / "agent.json").read_text())
        return {log["path"]: log for log in document["logs"]}
