"""An agent with one table: a change costs one row, and a log is shown when its row may have been seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import attrs

from kube_log_watcher_core import PATH, LogTarget, NodeContext, setting
from kube_log_watcher_static import JSON_MAP, TableAgent, TableFormat
from kube_log_watcher_testing.factories import container_id, make_container, make_target
from static_rules import Clock

SECONDS = 3.0


@attrs.frozen
class Settings:
    folder: Path = setting(PATH, help="the table's folder")


class Agent(TableAgent[Settings, Mapping[str, str]]):
    settings_class = Settings

    def __init__(
        self, folder: Path, clock: Clock, *, table: TableFormat[Mapping[str, str]] = JSON_MAP
    ) -> None:
        super().__init__(
            Settings(folder=folder),
            NodeContext(has_spool=True),
            path=folder / "table.json",
            table=table,
            uptake_seconds=SECONDS,
            clock=clock,
        )
        self.asked: list[str] = []

    def value(self, target: LogTarget) -> Mapping[str, str]:
        self.asked.append(target.id)
        return {"application": target.application or ""}


def spooled(number: int, application: str = "shop", *, asks: bool = False) -> LogTarget:
    container = attrs.evolve(make_container(number), spool=Path("/spool"))
    annotation = {"kubernetes-log-watcher/scalyr-redaction-rules": '[{"match_expression": "a"}]'}
    return make_target(container, labels={"application": application}, annotations=annotation if asks else {})


def test_the_table_has_a_row_for_each_log(tmp_path: Path) -> None:
    Agent(tmp_path, Clock()).sync([spooled(2), spooled(1, "cart")])
    assert json.loads((tmp_path / "table.json").read_text()) == {
        container_id(1): {"application": "cart"},
        container_id(2): {"application": "shop"},
    }


def test_a_change_costs_one_row(tmp_path: Path) -> None:
    agent = Agent(tmp_path, Clock())
    agent.sync([spooled(number) for number in range(100)])
    agent.asked.clear()
    agent.sync([spooled(number, "cart" if number == 7 else "shop") for number in range(100)])
    assert agent.asked == [container_id(7)]


def test_a_new_log_is_ready_when_its_row_may_have_been_seen(tmp_path: Path) -> None:
    clock = Clock()
    agent = Agent(tmp_path, clock)
    assert agent.sync([spooled(1)]) == SECONDS
    assert list(agent.ready([spooled(1)])) == []
    clock.now += SECONDS
    assert agent.sync([spooled(1)]) is None
    assert list(agent.ready([spooled(1)])) == [spooled(1)]


def test_a_mended_log_is_ready_when_its_new_row_may_have_been_seen(tmp_path: Path) -> None:
    """It was seen: shown by the row of before, which has its lines dropped, a log of 308 lines never came."""
    clock = Clock()
    agent = Agent(tmp_path, clock)
    asking, plain = spooled(1, asks=True), spooled(1)
    agent.sync([asking])
    clock.now += 10
    assert list(agent.ready([asking])) == []
    assert agent.sync([plain]) == SECONDS
    assert list(agent.ready([plain])) == []
    clock.now += SECONDS
    assert list(agent.ready([plain])) == [plain]


def test_others_that_come_meanwhile_keep_no_log_waiting(tmp_path: Path) -> None:
    clock = Clock()
    agent = Agent(tmp_path, clock)
    agent.sync([spooled(1)])
    clock.now += 2
    assert agent.sync([spooled(1), spooled(2)]) == 1
    clock.now += 1
    assert list(agent.ready([spooled(1), spooled(2)])) == [spooled(1)]


def test_a_row_that_would_be_misread_costs_that_log_alone(tmp_path: Path) -> None:
    careless: TableFormat[Mapping[str, str]] = attrs.evolve(
        JSON_MAP, write=lambda key, value: f'"{key}": {{"application": "{value["application"]}"}}'
    )
    clock = Clock()
    agent = Agent(tmp_path, clock, table=careless)
    targets = [spooled(1, '"'), spooled(2)]
    agent.sync(targets)
    clock.now += SECONDS
    assert list(agent.ready(targets)) == targets[1:]
    assert list(json.loads((tmp_path / "table.json").read_text())) == [container_id(2)]
    (objection,) = agent.objections()
    assert (objection.target, objection.holds) == (targets[0], True)
    assert "can't be read again" in objection.reason
    agent.sync(targets[1:])
    assert list(agent.objections()) == []


def test_an_empty_table_is_there_before_any_log_is_known(tmp_path: Path) -> None:
    """A shipper may not start without."""
    Agent(tmp_path, Clock()).prepare()
    assert json.loads((tmp_path / "table.json").read_text()) == {}


def test_a_table_that_is_there_stays_until_all_logs_are_known(tmp_path: Path) -> None:
    Agent(tmp_path, Clock()).sync([spooled(1)])
    before = (tmp_path / "table.json").read_text()
    Agent(tmp_path, Clock()).prepare()
    assert (tmp_path / "table.json").read_text() == before
