"""The whole watcher tells pods' authors, by Events, what can't be done of their wishes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon_support import Stage
from kube_log_watcher_core import Layout

PARSER = "kubernetes-log-watcher/scalyr-parser"
REDACTION = "kubernetes-log-watcher/scalyr-redaction-rules"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    environ = {"WATCHER_EVENTS": "true"}
    with Stage(tmp_path, Layout.CRI, agents=["scalyr"], environ=environ) as stage:
        yield stage.start()


def notes(stage: Stage) -> dict[str, tuple[str, str]]:
    return {
        event["regarding"]["name"]: (event["reason"], event["note"])
        for event in list(stage.api.events.values())
    }


def test_a_held_log_and_a_misspelt_annotation_are_told_to_their_pods_authors(stage: Stage) -> None:
    held = stage.run("secretive", annotations={REDACTION: "{"})
    stage.run("careless", annotations={"kubernetes-log-watcher/scaylr-parser": "app"})
    stage.run("well")
    stage.watcher.wait_for(lambda: len(notes(stage)) == 2, what="two Events")
    told = notes(stage)
    assert told["secretive"][0] == "LogHeld"
    assert told["secretive"][1].startswith(f"scalyr: {REDACTION}: no JSON")
    assert "the log is not shipped until this is mended" in told["secretive"][1]
    assert told["careless"] == (
        "AnnotationIgnored",
        f"{PARSER.replace('aly', 'ayl')}: nobody reads it: did you mean {PARSER}?",
    )
    event = next(it for it in stage.api.events.values() if it["regarding"]["name"] == "secretive")
    assert event["regarding"]["uid"] == held.uid


def test_without_the_right_logs_are_followed_all_the_same(stage: Stage) -> None:
    stage.api.forbid("create", "patch")
    stage.run("secretive", annotations={REDACTION: "{"})
    container = stage.run("well")
    stage.watcher.wait_for(lambda: stage.entry(container), what="following")
    stage.watcher.wait_for(
        lambda: "WATCHER_EVENTS needs create and patch" in stage.watcher.log, what="saying so"
    )
    assert stage.api.events == {}
    assert stage.watcher.stop() == 0
