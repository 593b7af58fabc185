"""The agent for Fluent Bit keeps the contract of agents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import LogTarget, NodeContext
from kube_log_watcher_fluentbit import FluentBitAgent, FluentBitSettings
from kube_log_watcher_testing import AgentContract, MakeAgent


class TestFluentBitAgent(AgentContract):
    """Fluent Bit looks a pod up by its namespace and name."""

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        return lambda folder: FluentBitAgent(
            FluentBitSettings(folder=folder, annotations=("example.org/note",)), NodeContext(has_spool=True)
        )

    def target(
        self,
        number: int,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> LogTarget:
        target = super().target(number, labels=labels, annotations=annotations)
        return attrs.evolve(target, container=attrs.evolve(target.container, spool=Path("/spool")))

    def read_back(self, folder: Path) -> Mapping[str, object]:
        return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.meta")}

    def name_of(self, target: LogTarget) -> str:
        return f"{target.namespace}_{target.pod_name}"
