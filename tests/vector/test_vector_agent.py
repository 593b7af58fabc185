"""The table as Vector is given it, when a log is shown, its settings, and what check says."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from kube_log_watcher_static import metadata_of
from kube_log_watcher_testing import hostile
from kube_log_watcher_vector import VectorAgent, VectorSettings
from static_rules import HAS_SPOOL, Clock, StaticRules, spooled

DATA = Path(__file__).parent.parent / "data" / "vector"


def make_agent(folder: Path, clock: Clock | None = None) -> VectorAgent:
    return VectorAgent(VectorSettings(folder=folder), HAS_SPOOL, clock=clock or Clock())


def rows(folder: Path) -> dict[str, Any]:
    """Read the table as a parser of CSV does that allows no deviation."""
    with open(folder / "kube-log-watcher.csv", newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file, strict=True))
    return {row["container_id"]: json.loads(row["metadata"]) for row in found}


class TestVectorAgent(StaticRules):
    """Its configuration names the table itself."""

    name, file = "vector", "vector.yaml"
    named = (*StaticRules.named, "kube-log-watcher.csv")

    def test_vector_replaces_nothing_of_the_configuration(self) -> None:
        """It takes ``${...}`` from its environment."""
        assert "${" not in self.configuration


def test_the_table_is_as_it_was_looked_at(tmp_path: Path) -> None:
    """A reviewer looks at tests/data/vector: write it anew where it has to change."""
    make_agent(tmp_path).sync([spooled(1), spooled(2, {"version": "1.10"})])
    assert (tmp_path / "kube-log-watcher.csv").read_text() == (DATA / "kube-log-watcher.csv").read_text()


def test_every_row_holds_the_document(tmp_path: Path) -> None:
    targets = [spooled(number, {text: text}) for number, text in enumerate(hostile.TEXTS)]
    make_agent(tmp_path).sync(targets)
    assert rows(tmp_path) == {target.id: metadata_of(target) for target in targets}


def test_a_log_is_shown_when_vector_may_have_taken_its_row_up(tmp_path: Path) -> None:
    clock = Clock()
    agent = make_agent(tmp_path, clock)
    assert agent.sync([spooled(1)]) == 3.0
    assert list(agent.ready([spooled(1)])) == []
    clock.now += 3
    assert list(agent.ready([spooled(1)])) == [spooled(1)]


def test_a_table_without_rows_can_be_read(tmp_path: Path) -> None:
    """Vector does not start without one."""
    make_agent(tmp_path).prepare()
    assert rows(tmp_path) == {}
