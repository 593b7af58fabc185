"""Pods' regular expressions on the running watcher: none that takes ages, and nobody waits for others'."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterable
from pathlib import Path

import pytest

from daemon_support import Stage, staged
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_node import FakeContainer

REDACTION = "kubernetes-log-watcher/scalyr-redaction-rules"


def asking(expressions: Iterable[str]) -> dict[str, str]:
    """Make an annotation that asks for these to be redacted."""
    return {REDACTION: json.dumps([{"match_expression": text} for text in expressions])}


def long_rules(seed: int, count: int) -> list[str]:
    """Make rules that are as long as they may be, and good."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    return ["".join(chance.choices(string.ascii_letters, k=2000)) for _ in range(count)]


def redacted(stage: Stage, container: FakeContainer) -> list[str] | None:
    """Return what is redacted in a container's log; None where it is not shipped."""
    logs = json.loads(stage.config.read_bytes())["logs"]
    for log in logs:
        if log["attributes"]["container_id"] == container.id:
            return [rule["match_expression"] for rule in log["redaction_rules"]]
    return None


@pytest.mark.parametrize("text", ["(?:(?=a)+a)+b", ".*.*=", r"(\w+\s?)*$", "(?:a*a*a*b)?"])
def test_an_expression_that_could_take_ages_never_reaches_the_configuration(
    tmp_path: Path, text: str
) -> None:
    with staged(tmp_path, Layout.DOCKER) as stage:
        hostile = stage.run("hostile-1", annotations=asking([text]))
        other = stage.run("shop-1", annotations=asking(["card=[0-9]+"]))
        stage.watcher.wait_for(lambda: redacted(stage, other), what="the other log")
        stage.watcher.wait_for_log("pod default/hostile-1, container main")
        assert redacted(stage, hostile) is None
        assert json.dumps(text) not in stage.config.read_text()


def test_many_pods_with_long_rules_hold_up_nobody_and_come_to_their_turn(tmp_path: Path) -> None:
    """No full pass comes to their help: the agent comes back to them by itself."""
    with staged(tmp_path, Layout.DOCKER) as stage:
        stage.watcher.wait_for(stage.config.exists, what="the first configuration")
        demanding = [
            stage.run(f"demanding-{number}", annotations=asking(long_rules(number, 5)))
            for number in range(12)
        ]
        greedy = stage.run("greedy-1", annotations=asking(long_rules(99, 100)))
        other = stage.run("shop-1", annotations=asking(["card=[0-9]+"]))
        stage.watcher.wait_for(lambda: redacted(stage, other), what="the other log")
        stage.watcher.wait_for(
            lambda: all(redacted(stage, each) for each in demanding), what="the demanding logs"
        )
        assert (redacted(stage, demanding[0]) or [])[:5] == long_rules(0, 5)
        assert redacted(stage, greedy) is None
        stage.watcher.wait_for_log("all expressions of this log together take too long to check")
