"""The agent for Fluentd keeps the contract of agents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from kube_log_watcher_core import LogFile, LogTarget, NodeContext
from kube_log_watcher_fluentd import FluentdAgent, FluentdSettings
from kube_log_watcher_testing import AgentContract, MakeAgent


class TestFluentdAgent(AgentContract):
    """Its shipper looks a container up by its id."""

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        return lambda folder: FluentdAgent(
            FluentdSettings(folder=folder, pos_file=folder / "klw.pos"), NodeContext(has_spool=True)
        )

    def read_back(self, folder: Path) -> Mapping[str, object]:
        return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}

    def name_of(self, target: LogTarget) -> str:
        return target.id

    def account(self, folder: Path, file: LogFile, read_bytes: int) -> None:
        (folder / "klw.pos").write_text(f"{file.path}\t{read_bytes:016x}\t{file.inode:016x}\n")
