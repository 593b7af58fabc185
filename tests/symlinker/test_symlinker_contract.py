"""The symlinker keeps the contract of agents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kube_log_watcher_core import LogTarget, NodeContext
from kube_log_watcher_symlinker import SymlinkerAgent, SymlinkerSettings
from kube_log_watcher_testing import AgentContract, MakeAgent


class TestSymlinkerAgent(AgentContract):
    """Its shipper takes labels from the components of each link's path."""

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        return lambda folder: SymlinkerAgent(SymlinkerSettings(symlink_dir=folder), NodeContext())

    def read_back(self, folder: Path) -> Mapping[str, object]:
        links = [path for path in folder.rglob("*") if path.is_symlink()]
        return {str(path.readlink()): path.relative_to(folder).parts for path in links}

    def name_of(self, target: LogTarget) -> str:
        """Return the live log, with and without the spool: people look there."""
        return str(target.log_path)
