"""The agent keeps the contract of agents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import LogTarget, NodeContext
from kube_log_watcher_logtail import LogtailAgent, LogtailSettings
from kube_log_watcher_testing import AgentContract, MakeAgent


class TestLogtailAgent(AgentContract):
    """Its shipper looks a log's metadata up by the container id in a segment's name."""

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        """Make an agent that writes into a folder."""
        return lambda folder: LogtailAgent(LogtailSettings(folder=folder), NodeContext(has_spool=True))

    def target(
        self,
        number: int,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> LogTarget:
        """Make a target that lies in the spool."""
        target = super().target(number, labels=labels, annotations=annotations)
        return attrs.evolve(target, container=attrs.evolve(target.container, spool=Path("/spool")))

    def read_back(self, folder: Path) -> Mapping[str, object]:
        """Read all files, by the container's id."""
        return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}

    def name_of(self, target: LogTarget) -> str:
        """Name a target as its file is named."""
        return target.id
