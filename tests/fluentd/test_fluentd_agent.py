"""The files as Fluentd is given them, its settings, and what check says."""

from __future__ import annotations

from pathlib import Path

import pytest

from kube_log_watcher_core.errors import PartlyFailed
from kube_log_watcher_fluentd import FluentdAgent, FluentdSettings
from kube_log_watcher_testing.factories import container_id
from static_rules import HAS_SPOOL, StaticRules, spooled

DATA = Path(__file__).parent.parent / "data" / "fluentd"


def make_agent(folder: Path) -> FluentdAgent:
    return FluentdAgent(FluentdSettings(folder=folder, annotations=("team",)), HAS_SPOOL)


class TestFluentdAgent(StaticRules):
    """Its configuration names the folder of all files."""

    name, file = "fluentd", "fluent.conf"
    positions = "pos_file", Path("/var/lib/fluentd/klw.pos")
    named = (*StaticRules.named, "/var/log/kube-log-watcher/fluentd/", "klw.pos")


def test_a_file_is_as_it_was_looked_at(tmp_path: Path) -> None:
    """A reviewer looks at tests/data/fluentd: write it anew where it has to change."""
    make_agent(tmp_path).sync([spooled(1, annotations={"team": "blue", "private": "x"})])
    (written,) = tmp_path.iterdir()
    assert written.name == f"{container_id(1)}.json"
    assert written.read_text() == (DATA / "metadata.json").read_text()


def test_a_log_is_shown_when_its_own_file_is_on_the_disk(tmp_path: Path) -> None:
    agent, targets = make_agent(tmp_path), [spooled(1), spooled(2)]
    agent.sync(targets)
    assert list(agent.ready(targets)) == targets


def test_a_log_whose_file_can_not_be_written_waits_alone(tmp_path: Path) -> None:
    agent, targets = make_agent(tmp_path), [spooled(1), spooled(2)]
    (tmp_path / f"{container_id(1)}.json").mkdir()
    with pytest.raises(PartlyFailed):
        agent.sync(targets)
    assert list(agent.ready(targets)) == targets[1:]
