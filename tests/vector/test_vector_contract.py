"""The agent for Vector keeps the contract of agents."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kube_log_watcher_core import BaseAgent, LogFile, LogTarget, NodeContext
from kube_log_watcher_testing import AgentContract, MakeAgent
from kube_log_watcher_vector import VectorAgent, VectorSettings


class TestVectorAgent(AgentContract):
    """Its shipper looks a container up by its id, and parses the text that it finds."""

    now = 0.0

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        return lambda folder: VectorAgent(
            VectorSettings(folder=folder, checkpoints=folder / "checkpoints.json"),
            NodeContext(has_spool=True),
            clock=lambda: self.now,
        )

    def take_up(self, agent: BaseAgent[Any], folder: Path) -> None:
        self.now += 60

    def read_back(self, folder: Path) -> Mapping[str, object]:
        with open(folder / "kube-log-watcher.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
        return {row["container_id"]: json.loads(row["metadata"]) for row in rows}

    def name_of(self, target: LogTarget) -> str:
        return target.id

    def account(self, folder: Path, file: LogFile, read_bytes: int) -> None:
        device = folder.stat().st_dev
        entry = {
            "fingerprint": {"dev_inode": [device, file.inode]},
            "position": read_bytes,
            "modified": datetime.now(UTC).isoformat(),
        }
        document = {"version": "1", "checkpoints": [entry]}
        (folder / "checkpoints.json").write_text(json.dumps(document))
