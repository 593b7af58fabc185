"""What is made of one target is made once: a file agent of fifteen lines does no more than what is new."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import PATH, AgentError, File, FileAgent, LogTarget, NodeContext, Owned, setting
from kube_log_watcher_testing.factories import make_container, make_target


@attrs.frozen
class Settings:
    folder: Path = setting(PATH, help="a folder")


class Counting(FileAgent[Settings]):
    """Writes one file of all logs, and notes of which it was asked for the entry."""

    settings_class = Settings

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, NodeContext())
        self.asked: list[str] = []
        self.names: list[str] = []
        self.patient: set[str] = set()

    def render(self, targets: Sequence[LogTarget]) -> Iterable[File]:
        logs = [entry for entry in self.each(targets, self._entry) if entry is not None]
        self.names = self.each(targets, self._name)
        return [File(self.settings.folder / "logs.json", f"[{','.join(logs)}]")]

    def owned(self) -> Iterable[Owned]:
        return [Owned(self.settings.folder, r"logs\.json")]

    def _entry(self, target: LogTarget) -> str | None:
        self.asked.append(target.id)
        return None if target.id in self.patient else json.dumps(target.id)

    def _name(self, target: LogTarget) -> str:
        return target.container_name

    def written(self) -> list[str]:
        listed: list[str] = json.loads((self.settings.folder / "logs.json").read_bytes())
        return listed


@pytest.fixture
def agent(tmp_path: Path) -> Counting:
    return Counting(Settings(folder=tmp_path))


MANY = [make_target(make_container(number=number)) for number in range(1000)]


def test_one_change_among_a_thousand_asks_for_that_one(agent: Counting) -> None:
    agent.sync(MANY)
    agent.asked.clear()
    changed = attrs.evolve(MANY[500], application="other")
    agent.sync([*MANY[:500], changed, *MANY[501:]])
    assert agent.asked == [changed.id]
    assert len(agent.written()) == 1000


def test_targets_come_sorted_whatever_their_order(agent: Counting) -> None:
    agent.sync(MANY[:50][::-1])
    assert agent.written() == sorted(target.id for target in MANY[:50])


def test_what_is_not_asked_for_in_a_sync_is_forgotten(agent: Counting) -> None:
    agent.sync(MANY[:3])
    agent.sync(MANY[:1])
    agent.asked.clear()
    agent.sync(MANY[:3])
    assert agent.asked == sorted(target.id for target in MANY[1:3])


def test_methods_are_told_apart(agent: Counting) -> None:
    agent.sync(MANY[:3])
    assert agent.names == [target.container_name for target in MANY[:3]]
    assert agent.written() == sorted(target.id for target in MANY[:3])


def test_none_is_asked_for_again(agent: Counting) -> None:
    agent.patient = {MANY[1].id}
    agent.sync(MANY[:3])
    assert len(agent.written()) == 2
    agent.asked.clear()
    agent.sync(MANY[:3])
    assert agent.asked == [MANY[1].id]
    agent.patient.clear()
    agent.sync(MANY[:3])
    assert len(agent.written()) == 3


def test_what_was_made_is_remembered_although_it_could_not_be_written(agent: Counting) -> None:
    (agent.settings.folder / "logs.json").mkdir()
    for _ in range(3):
        with pytest.raises(AgentError):
            agent.sync(MANY[:10])
    assert len(agent.asked) == 10
