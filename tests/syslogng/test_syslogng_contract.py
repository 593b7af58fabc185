"""The agent for syslog-ng keeps the contract of agents, and its reader that of positions."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from kube_log_watcher_core import BaseAgent, LogFile, LogTarget, NodeContext
from kube_log_watcher_syslogng import SyslogngAgent, SyslogngSettings
from kube_log_watcher_syslogng.positions import PersistFile
from kube_log_watcher_testing import AgentContract, MakeAgent, MakeReader, PositionContract
from persist_file import written


def values(table: Path) -> Mapping[str, str]:
    """Return what the pattern database says of each key."""
    root = ET.fromstring(table.read_bytes())  # noqa: S314 - written by our own agent
    rules = root.iter("ruleset")
    return {
        each.findtext("pattern", ""): (each.findtext(".//value") or "").replace("$$", "$") for each in rules
    }


class TestSyslogngAgent(AgentContract):
    """syslog-ng looks a log up by its container's id."""

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        def make(folder: Path) -> SyslogngAgent:
            for name in ("syslogng", "state"):
                (folder / name).mkdir(exist_ok=True)
            settings = SyslogngSettings(
                folder=folder / "syslogng", persist_file=folder / "state" / "syslog-ng.persist"
            )
            # Some time passes between any two looks.
            return SyslogngAgent(settings, NodeContext(has_spool=True), clock=itertools.count(0, 3).__next__)

        return make

    def take_up(self, agent: BaseAgent[Any], folder: Path) -> None:
        table, ack = (folder / "syslogng" / name for name in ("table.xml", "ack"))
        with ack.open("a") as answers:
            answers.write(f"{values(table)['generation']}\n")
        changed = table.stat().st_mtime_ns + 1
        os.utime(ack, ns=(changed, changed))

    def read_back(self, folder: Path) -> Mapping[str, object]:
        found = values(folder / "syslogng" / "table.xml")
        return {key: json.loads(value) for key, value in found.items() if key != "generation"}

    def name_of(self, target: LogTarget) -> str:
        return target.id

    def account(self, folder: Path, file: LogFile, read_bytes: int) -> None:
        (folder / "state" / "syslog-ng.persist").write_bytes(written({file: read_bytes}))


class TestPersistFile(PositionContract):
    """As syslog-ng 3.38 writes it."""

    @pytest.fixture
    def make_reader(self) -> MakeReader:
        # It is read anew when some time has passed: at each question, by this clock.
        return lambda place: PersistFile(place, clock=itertools.count().__next__).progress

    def note(self, place: Path, offsets: Mapping[LogFile, int]) -> None:
        place.write_bytes(written(offsets))
