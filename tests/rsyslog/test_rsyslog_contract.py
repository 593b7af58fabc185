"""The agent for rsyslog keeps the contract of agents, and its reader that of positions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kube_log_watcher_core import BaseAgent, LogFile, LogTarget, NodeContext
from kube_log_watcher_rsyslog import RsyslogAgent, RsyslogSettings
from kube_log_watcher_rsyslog.positions import StateFolder
from kube_log_watcher_testing import AgentContract, MakeAgent, MakeReader, PositionContract


class TestRsyslogAgent(AgentContract):
    """rsyslog looks a log up by its container's id."""

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        def make(folder: Path) -> RsyslogAgent:
            for name in ("rsyslog", "work"):
                (folder / name).mkdir(exist_ok=True)
            settings = RsyslogSettings(folder=folder / "rsyslog", state_dir=folder / "work")
            return RsyslogAgent(settings, NodeContext(has_spool=True))

        return make

    def take_up(self, agent: BaseAgent[Any], folder: Path) -> None:
        _, generation = (folder / "rsyslog" / "control").read_text().split()
        with (folder / "rsyslog" / "ack").open("a") as answers:
            answers.write(f"{generation}\n")

    def read_back(self, folder: Path) -> Mapping[str, object]:
        rows = json.loads((folder / "rsyslog" / "table.json").read_text())["table"]
        return {row["index"]: json.loads(row["value"]) for row in rows if row["index"] != "generation"}

    def name_of(self, target: LogTarget) -> str:
        return target.id

    def account(self, folder: Path, file: LogFile, read_bytes: int) -> None:
        state = {"filename": str(file.path), "curr_offs": read_bytes, "strt_offs": read_bytes}
        (folder / "work" / f"imfile-state:{file.inode}").write_text(json.dumps(state))


class TestStateFolder(PositionContract):
    """As imfile of rsyslog 8.2302 writes it."""

    @pytest.fixture
    def make_reader(self) -> MakeReader:
        return lambda place: StateFolder(place).progress

    def note(self, place: Path, offsets: Mapping[LogFile, int]) -> None:
        place.mkdir(exist_ok=True)
        for state in place.iterdir():
            state.unlink()
        for file, read in offsets.items():
            noted = {"filename": str(file.path), "prev_was_nl": 0, "curr_offs": read, "strt_offs": read}
            (place / f"imfile-state:{file.inode}:0123456789abcdef").write_text(json.dumps(noted))
