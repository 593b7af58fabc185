"""Nothing is shipped past a redaction that its pod asked for, unless the settings say so."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from scalyr_support import JWT_RULE, PARSER, REDACTION, SAMPLING, a_target, an_agent, container_id, written

GOOD = {"match_expression": r"card=\d+", "replacement": "card=***"}
BAD = [
    "{",
    "null",
    "7",
    json.dumps({"match_expression": "x"}),
    json.dumps([{"match_expression": "("}, GOOD]),
    json.dumps([GOOD, {"match_expression": "(a+)+$"}]),
    json.dumps([GOOD, {"match_expression": "x", "replacement": r"\1"}]),
    json.dumps([GOOD] * 101),
    json.dumps([{"container": "main", "redaction-rules": [GOOD, 7]}]),
    json.dumps([{"container": "main", "redaction_rules": [GOOD]}]),
    json.dumps([{"container": "main", "redaction-rules": [GOOD]}, {"contianer": "main"}]),
]


@pytest.mark.parametrize("value", BAD)
def test_a_log_with_an_unusable_redaction_rule_is_held_and_its_neighbours_are_not(
    tmp_path: Path, value: str
) -> None:
    """Neither an entry nor a link: somebody's own configuration may name the links."""
    agent = an_agent(tmp_path)
    agent.sync([a_target(1, annotations={REDACTION: value}), a_target(2)])
    assert [entry["attributes"]["container_id"] for entry in written(agent)["logs"]] == [container_id(2)]
    assert os.listdir(agent.settings.dest_path) == [container_id(2)]
    (objection,) = agent.objections()
    assert str(objection).startswith(f"pod default/shop-1, container main, {REDACTION}: ")
    assert str(objection).endswith("; the log is not shipped until this is mended")


@pytest.mark.parametrize("value", BAD)
def test_with_ship_it_is_shipped_without_that_rule(tmp_path: Path, value: str) -> None:
    agent = an_agent(tmp_path, bad_redaction="ship")
    agent.sync([a_target(annotations={REDACTION: value})])
    (entry,) = written(agent)["logs"]
    assert all(rule in (GOOD, JWT_RULE) for rule in entry["redaction_rules"])
    (objection,) = agent.objections()
    assert "not shipped" not in str(objection)


@pytest.mark.parametrize("annotation", [PARSER, SAMPLING])
def test_no_other_annotation_holds_a_log(tmp_path: Path, annotation: str) -> None:
    agent = an_agent(tmp_path)
    agent.sync([a_target(annotations={annotation: "{"})])
    assert len(written(agent)["logs"]) == 1


def test_a_list_about_other_containers_holds_none(tmp_path: Path) -> None:
    value = json.dumps([{"container": "other", "redaction-rules": [{"match_expression": "("}]}])
    agent = an_agent(tmp_path)
    agent.sync([a_target(1, annotations={REDACTION: value})])
    assert len(written(agent)["logs"]) == 1


def test_a_held_log_is_shipped_once_its_annotation_is_mended(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([a_target(annotations={REDACTION: "{"})])
    assert [it.holds for it in agent.objections()] == [True]
    agent.sync([a_target(annotations={REDACTION: json.dumps([GOOD])})])
    assert agent.objections() == ()
    (entry,) = written(agent)["logs"]
    assert entry["redaction_rules"] == [GOOD, JWT_RULE]


def test_a_rule_that_goes_bad_takes_the_log_out_of_the_file(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([a_target(annotations={REDACTION: json.dumps([GOOD])})])
    assert len(written(agent)["logs"]) == 1
    agent.sync([a_target(annotations={REDACTION: json.dumps([{"match_expression": "("}])})])
    assert written(agent)["logs"] == []
