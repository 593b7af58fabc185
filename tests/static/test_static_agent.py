"""The agent that all shippers with a static configuration share: what it shows, and where it works."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import PATH, AgentConfigError, File, LogTarget, NodeContext, Owned, setting
from kube_log_watcher_static import StaticAgent
from kube_log_watcher_testing.factories import make_container, make_target

NODE = NodeContext(has_spool=True)
ASKS = {"kubernetes-log-watcher/scalyr-redaction-rules": '[{"match_expression": "x"}]'}


@attrs.frozen
class Settings:
    """Where it writes."""

    folder: Path = setting(PATH, help="a folder")


class Plain(StaticAgent[Settings]):
    """Writes nothing."""

    settings_class = Settings

    def render(self, targets: Sequence[LogTarget]) -> Iterable[File]:
        return []

    def owned(self) -> Iterable[Owned]:
        return [Owned(self.settings.folder, "none")]


class Told(Plain):
    """Its shipper is told of each log."""

    needs_spool = False


def spooled(number: int, **more: dict[str, str]) -> LogTarget:
    container = attrs.evolve(make_container(number), spool=Path("/spool"))
    return make_target(container, annotations=more.get("annotations"))


def test_only_what_lies_in_the_spool_is_shown(tmp_path: Path) -> None:
    agent = Plain(Settings(folder=tmp_path), NODE)
    assert agent.ready([spooled(1), make_target(make_container(2))]) == [spooled(1)]


def test_a_shipper_that_is_told_of_each_log_is_shown_all(tmp_path: Path) -> None:
    agent, targets = Told(Settings(folder=tmp_path), NodeContext()), [make_target()]
    agent.check()
    assert agent.ready(targets) == targets


def test_without_a_spool_check_names_the_setting(tmp_path: Path) -> None:
    Plain(Settings(folder=tmp_path), NODE).check()
    with pytest.raises(AgentConfigError, match="WATCHER_SPOOL_DIR"):
        Plain(Settings(folder=tmp_path), NodeContext()).check()


def test_a_log_whose_pod_asks_for_redaction_is_held_and_others_are_not(tmp_path: Path) -> None:
    agent = Plain(Settings(folder=tmp_path), NODE)
    asking, plain = spooled(1, annotations=ASKS), spooled(2)
    assert agent.ready([asking, plain]) == [plain]
    (objection,) = agent.objections()
    assert (objection.target, objection.holds, objection.annotation) == (asking, True, *ASKS)
    assert agent.ready([spooled(1)]) == [spooled(1)]
    assert list(agent.objections()) == []
