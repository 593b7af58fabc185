"""The agent keeps the contract of agents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from kube_log_watcher_core import LogTarget, NodeContext
from kube_log_watcher_fluentbit import FluentBitAgent, FluentBitSettings
from kube_log_watcher_testing import AgentContract, MakeAgent


class TestFluentBitAgent(AgentContract):
    """Fluent Bit looks a pod up by its namespace and name."""

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        """Make an agent that writes into a folder."""
        return lambda folder: FluentBitAgent(FluentBitSettings(folder=folder), NodeContext())

    def read_back(self, folder: Path) -> Mapping[str, object]:
        """Read all files, by the name of the pod."""
        return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.meta")}

    def name_of(self, target: LogTarget) -> str:
        """Name a target as its file is named."""
        return f"{target.namespace}_{target.pod_name}"
