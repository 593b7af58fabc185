"""The table as Vector is given it, when a log is shown, its settings, and what check says."""

from __future__ import annotations

import csv
import importlib.resources
import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import attrs
import pytest

from kube_log_watcher_core import AgentConfigError, Layout, LogTarget, NodeContext
from kube_log_watcher_core.settings import Sources, load
from kube_log_watcher_static import metadata_of
from kube_log_watcher_testing import hostile
from kube_log_watcher_testing.contract.disks import CountingDisk
from kube_log_watcher_testing.factories import make_container, make_target
from kube_log_watcher_vector import VectorAgent, VectorSettings

DATA = Path(__file__).parent.parent / "data" / "vector"
SPOOL = Path("/var/log/kube-log-watcher/spool")
CONFIGURATION = (importlib.resources.files("kube_log_watcher_vector") / "static" / "vector.yaml").read_text()
FEW_STEPS = 6
"""On the disk for one file: open its folder, read and write it, and settle the folder."""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Counting(VectorAgent):
    made = 0

    def value(self, target: LogTarget) -> tuple[str, ...]:
        self.made += 1
        return super().value(target)


def spooled(number: int, **labels: str) -> LogTarget:
    container = attrs.evolve(make_container(number, layout=Layout.CRI), spool=SPOOL)
    return make_target(container, labels={"application": "shop", "note": "${X} $$ \"'", **labels})


def make_agent(folder: Path, clock: Clock | None = None, **settings: Any) -> Counting:
    node = NodeContext(has_spool=True, spool_dirs=(SPOOL,))
    return Counting(VectorSettings(folder=folder, **settings), node, clock=clock or Clock())


def rows(folder: Path) -> dict[str, Any]:
    """Read the table as a parser of CSV does that allows no deviation."""
    with open(folder / "kube-log-watcher.csv", newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file, strict=True))
    return {row["container_id"]: json.loads(row["metadata"]) for row in found}


def test_the_table_is_as_it_was_looked_at(tmp_path: Path) -> None:
    """A reviewer looks at tests/data/vector: write it anew where it has to change."""
    make_agent(tmp_path).sync([spooled(1), spooled(2, version="1.10")])
    assert (tmp_path / "kube-log-watcher.csv").read_text() == (DATA / "kube-log-watcher.csv").read_text()


def test_every_row_holds_the_document(tmp_path: Path) -> None:
    targets = [spooled(number, **{text: text}) for number, text in enumerate(hostile.TEXTS)]
    make_agent(tmp_path).sync(targets)
    assert rows(tmp_path) == {target.id: metadata_of(target) for target in targets}


def test_a_log_is_shown_when_vector_may_have_seen_its_row(tmp_path: Path) -> None:
    clock = Clock()
    agent = make_agent(tmp_path, clock)
    assert agent.sync([spooled(1)]) == 3.0
    assert list(agent.ready([spooled(1)])) == []
    clock.now += 3
    assert list(agent.ready([spooled(1)])) == [spooled(1)]


@pytest.mark.parametrize("count", [110, 1000])
def test_a_change_costs_one_row_and_one_file(tmp_path: Path, count: int) -> None:
    agent, disk = make_agent(tmp_path), CountingDisk()
    agent.use_disk(disk)
    targets = [spooled(number) for number in range(count)]
    agent.sync(targets)
    agent.made, disk.steps = 0, 0
    agent.sync([spooled(0, version="2"), *targets[1:]])
    assert agent.made == 1
    assert disk.steps <= FEW_STEPS


def test_nothing_is_needed_but_the_folder() -> None:
    environ = {"WATCHER_VECTOR_FOLDER": "/x"}
    settings = load(VectorSettings, Sources(environ=environ), section="vector").unwrap()
    assert settings == VectorSettings(folder=Path("/x"))


def test_the_table_is_there_before_any_log_is_known(tmp_path: Path) -> None:
    """Vector does not start without."""
    make_agent(tmp_path).prepare()
    assert rows(tmp_path) == {}


def configured(tmp_path: Path, text: str) -> Counting:
    """Make an agent of the folders in a configuration."""
    (tmp_path / "table").mkdir()
    config = tmp_path / "vector.yaml"
    config.write_text(text.replace("/var/log/kube-log-watcher/vector", str(tmp_path / "table")))
    return make_agent(tmp_path / "table", config=config)


def test_the_shipped_configuration_names_all_that_it_has_to(tmp_path: Path) -> None:
    configured(tmp_path, CONFIGURATION).check()


@pytest.mark.parametrize("lacking", [str(SPOOL), "kube-log-watcher.csv"])
def test_what_the_configuration_does_not_name_is_told(tmp_path: Path, lacking: str) -> None:
    assert lacking in CONFIGURATION
    with pytest.raises(AgentConfigError, match=r"names no .*: put in the folders"):
        configured(tmp_path, CONFIGURATION.replace(lacking, "elsewhere")).check()


def test_without_a_spool_check_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(AgentConfigError, match="WATCHER_SPOOL_DIR"):
        VectorAgent(VectorSettings(folder=tmp_path), NodeContext()).check()


def test_the_package_prints_its_configuration() -> None:
    command = [sys.executable, "-m", "kube_log_watcher_vector"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == CONFIGURATION


def test_the_configuration_has_vector_replace_nothing_of_it(tmp_path: Path) -> None:
    """It takes ``${...}`` from its environment."""
    assert "${" not in CONFIGURATION


def test_the_distribution_offers_the_agent_under_its_name() -> None:
    (found,) = entry_points(group="kube_log_watcher.agents", name="vector")
    assert found.load() is VectorAgent
