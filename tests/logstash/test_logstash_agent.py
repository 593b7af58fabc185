"""The dictionary as Logstash is given it, when a log is shown, its settings, and what check says."""

from __future__ import annotations

import json
from pathlib import Path

from kube_log_watcher_logstash import LogstashAgent, LogstashSettings
from kube_log_watcher_static import metadata_of
from kube_log_watcher_testing import hostile
from static_rules import HAS_SPOOL, Clock, StaticRules, spooled

DATA = Path(__file__).parent.parent / "data" / "logstash"


def make_agent(folder: Path, clock: Clock | None = None) -> LogstashAgent:
    return LogstashAgent(LogstashSettings(folder=folder), HAS_SPOOL, clock=clock or Clock())


class TestLogstashAgent(StaticRules):
    """Its configuration names the dictionary itself."""

    name, file = "logstash", "logstash.conf"
    positions = "sincedb", Path("/var/lib/logstash/klw.sincedb")
    named = (*StaticRules.named, "kube-log-watcher.json", "klw.sincedb")

    def test_what_is_held_is_dropped(self) -> None:
        """No Logstash could be had to try it."""
        assert "if [kubernetes][held] {\n      drop { }" in self.configuration

    def test_logstash_replaces_nothing_of_the_configuration(self) -> None:
        """It takes ``${...}`` from its environment."""
        assert "${" not in self.configuration


def test_the_dictionary_is_as_it_was_looked_at(tmp_path: Path) -> None:
    """A reviewer looks at tests/data/logstash: write it anew where it has to change."""
    make_agent(tmp_path).sync([spooled(1), spooled(2, {"version": "1.10"})])
    assert (tmp_path / "kube-log-watcher.json").read_text() == (DATA / "kube-log-watcher.json").read_text()


def test_every_value_is_a_text_that_holds_the_document(tmp_path: Path) -> None:
    targets = [spooled(number, {text: text}) for number, text in enumerate(hostile.TEXTS)]
    make_agent(tmp_path).sync(targets)
    rows = json.loads((tmp_path / "kube-log-watcher.json").read_text())
    assert {key: json.loads(text) for key, text in rows.items()} == {
        target.id: metadata_of(target) for target in targets
    }


def test_a_log_is_shown_when_logstash_may_have_seen_its_row(tmp_path: Path) -> None:
    clock = Clock()
    agent = make_agent(tmp_path, clock)
    assert agent.sync([spooled(1)]) == 3.0
    assert list(agent.ready([spooled(1)])) == []
    clock.now += 3
    assert list(agent.ready([spooled(1)])) == [spooled(1)]
