"""The agent for Logstash keeps the contract of agents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kube_log_watcher_core import BaseAgent, LogFile, LogTarget, NodeContext
from kube_log_watcher_logstash import LogstashAgent, LogstashSettings
from kube_log_watcher_testing import AgentContract, MakeAgent


class TestLogstashAgent(AgentContract):
    """Its shipper looks a container up by its id, and parses the text that it finds."""

    now = 0.0

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        return lambda folder: LogstashAgent(
            LogstashSettings(folder=folder, sincedb=folder / "klw.sincedb"),
            NodeContext(has_spool=True),
            clock=lambda: self.now,
        )

    def take_up(self, agent: BaseAgent[Any], folder: Path) -> None:
        self.now += 60

    def read_back(self, folder: Path) -> Mapping[str, object]:
        rows = json.loads((folder / "kube-log-watcher.json").read_text())
        return {key: json.loads(text) for key, text in rows.items()}

    def name_of(self, target: LogTarget) -> str:
        return target.id

    def account(self, folder: Path, file: LogFile, read_bytes: int) -> None:
        (folder / "klw.sincedb").write_text(f"{file.inode} 0 39 {read_bytes} 1795578372.55 {file.path}\n")
