"""The agent for Fluent Bit keeps the contract of agents."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from kube_log_watcher_core import LogFile, LogTarget, NodeContext
from kube_log_watcher_fluentbit import FluentBitAgent, FluentBitSettings
from kube_log_watcher_testing import AgentContract, MakeAgent, make_spooled


class TestFluentBitAgent(AgentContract):
    """Fluent Bit looks a pod up by its namespace and name."""

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        return lambda folder: FluentBitAgent(
            FluentBitSettings(folder=folder, database=database_of(folder), annotations=("example.org/note",)),
            NodeContext(has_spool=True),
        )

    def target(
        self,
        number: int,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> LogTarget:
        return make_spooled(super().target(number, labels=labels, annotations=annotations))

    def read_back(self, folder: Path) -> Mapping[str, object]:
        return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.meta")}

    def name_of(self, target: LogTarget) -> str:
        return f"{target.namespace}_{target.pod_name}"

    def account(self, folder: Path, file: LogFile, read_bytes: int) -> None:
        with sqlite3.connect(database_of(folder)) as connection:
            connection.execute("CREATE TABLE in_tail_files (name TEXT, offset INTEGER, inode INTEGER)")
            connection.execute(
                "INSERT INTO in_tail_files VALUES (?, ?, ?)", (str(file.path), read_bytes, file.inode)
            )
        connection.close()


def database_of(folder: Path) -> Path:
    return folder.parent / "tail.db"
