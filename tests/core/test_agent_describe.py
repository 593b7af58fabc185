"""What a file agent tells of one target."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import BaseAgent, File, FileAgent, Item, Link, LogTarget, NodeContext, Owned
from kube_log_watcher_core.errors import AgentError
from kube_log_watcher_testing import make_container, make_target


@attrs.frozen
class Settings:
    folder: Path


class Lists(FileAgent[Settings]):
    """Writes a list of all, and a file and a link for each."""

    settings_class = Settings

    def render(self, targets: Sequence[LogTarget]) -> Iterable[Item]:
        lines = "".join(f"{target.id} {target.log_path}\n" for target in targets)
        yield File(self.settings.folder / "all.txt", f"head\n{lines}")
        for target in targets:
            yield File(self.settings.folder / f"{target.id}.txt", "only this\n")
            yield Link(
                self.settings.folder / f"{target.container.restart_count}-{target.id[-8:]}", target.log_path
            )

    def owned(self) -> Iterable[Owned]:
        return [
            Owned(self.settings.folder, r".*\.txt"),
            Owned(self.settings.folder, r"\d+-[0-9a-f]+", links=True),
        ]


@pytest.fixture
def agent(tmp_path: Path) -> Lists:
    return Lists(Settings(tmp_path), NodeContext())


def target(number: int) -> LogTarget:
    return make_target(make_container(number, log_path=Path(f"/logs/{number}/0.log")))


def test_it_gives_links_files_and_parts_that_name_the_target(agent: Lists, tmp_path: Path) -> None:
    one, two = target(1), target(2)
    agent.sync([one, two])
    told = {item.path.name: item for item in agent.describe(one)}
    assert told == {
        "all.txt": File(tmp_path / "all.txt", f"{one.id} {one.log_path}"),
        f"{one.id}.txt": File(tmp_path / f"{one.id}.txt", "only this\n"),
        f"0-{one.id[-8:]}": Link(tmp_path / f"0-{one.id[-8:]}", one.log_path),
    }


def test_before_the_first_sync_and_of_others_it_tells_nothing(agent: Lists) -> None:
    assert agent.describe(target(1)) == []
    agent.sync([target(1)])
    assert agent.describe(target(2)) == []


def test_what_is_no_longer_followed_is_told_no_more(agent: Lists) -> None:
    agent.sync([target(1)])
    agent.sync([])
    assert agent.describe(target(1)) == []


def test_a_comparison_with_the_disk_forgets_nothing_that_is_told(agent: Lists) -> None:
    agent.sync([target(1)])
    agent.sync([target(1)])
    assert len(agent.describe(target(1))) == 3


def test_after_a_fault_it_tells_of_all_but_what_is_not_in_place(agent: Lists, tmp_path: Path) -> None:
    agent.sync([target(1)])
    (tmp_path / f"{target(2).id}.txt").mkdir()
    with pytest.raises(AgentError):
        agent.sync([target(1), target(2)])
    assert len(agent.describe(target(1))) == 3
    told = [item.path.name for item in agent.describe(target(2))]
    assert len(told) == 2
    assert f"{target(2).id}.txt" not in told


def test_an_agent_of_another_kind_tells_nothing_unless_it_wants_to() -> None:
    class Own(BaseAgent[Settings]):
        settings_class = Settings

        def sync(self, targets: Sequence[LogTarget]) -> None:
            raise AgentError("not asked for")

    assert Own(Settings(Path("/")), NodeContext()).describe(target(1)) == ()
