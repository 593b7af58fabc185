"""What a pod's annotations can do, and can't."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kube_log_watcher_core import LogTarget
from scalyr_support import (
    JWT_RULE,
    PARSER,
    REDACTION,
    SAMPLING,
    a_target,
    an_agent,
    synced,
    wishes_of,
    written,
)

RULE = {"match_expression": "x", "sampling_rate": 0}


def annotated(annotation: str, value: object, *, name: str = "main", number: int = 1) -> LogTarget:
    text = value if isinstance(value, str) else json.dumps(value)
    return a_target(number, annotations={annotation: text}, name=name)


def test_each_annotation_is_for_the_named_container_alone(tmp_path: Path) -> None:
    annotations = {
        PARSER: json.dumps([{"container": "main", "parser": "nginx"}]),
        SAMPLING: json.dumps([{"container": "main", "sampling-rules": [RULE]}]),
        REDACTION: json.dumps([{"container": "main", "redaction-rules": [{"match_expression": "secret"}]}]),
    }
    mine, other = synced(
        tmp_path, a_target(1, annotations=annotations), a_target(2, annotations=annotations, name="other")
    )["logs"]
    assert mine["attributes"]["parser"] == "nginx"
    assert mine["sampling_rules"] == [RULE]
    assert mine["redaction_rules"] == [{"match_expression": "secret"}, JWT_RULE]
    assert "parser" not in other["attributes"]
    assert "sampling_rules" not in other
    assert other["redaction_rules"] == [JWT_RULE]


def test_of_two_entries_for_a_container_the_first_counts() -> None:
    value = [{"container": "main", "parser": "one"}, {"container": "main", "parser": "two"}]
    assert wishes_of(annotated(PARSER, value)).parser == "one"


def test_the_default_parser_named_by_a_pod_is_no_attribute_of_its_own(tmp_path: Path) -> None:
    (entry,) = synced(tmp_path, annotated(PARSER, [{"container": "main", "parser": "json"}]))["logs"]
    assert "parser" not in entry["attributes"]


def test_an_entry_for_nobody_here_is_fine() -> None:
    assert wishes_of(annotated(PARSER, [{"container": "nobody", "parser": "x"}])).refused == ()


ODD = [
    "",
    "[[",
    "{",
    '"main"',
    "{}",
    "[" * 100_000,
    '["main", 3, null]',
    '[{"container": ["main"]}]',
    "[" + "1" * 5000 + "]",
    "x" * 262_144,
    '[{"container": "main"}]',
    '[{"container": "main", "parser": null, "sampling-rules": null, "redaction-rules": null}]',
    '[{"container": "main", "parser": {}, "sampling-rules": {}, "redaction-rules": {"replacement": "x"}}]',
    '[{"container": "main", "parser": "\\ud83d\\ude00", "sampling-rules": 1, "redaction-rules": "x"}]',
    json.dumps(
        [{"container": "main", "parser": "p" * 201, "sampling-rules": [1], "redaction-rules": [None]}]
    ),
]


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("annotation", [PARSER, SAMPLING, REDACTION])
def test_odd_content_is_ignored_and_named_as_a_fault(annotation: str, value: str) -> None:
    wishes = wishes_of(annotated(annotation, value))
    assert (wishes.parser, wishes.sampling, wishes.redaction) == (None, (), ())
    (fault,) = wishes.refused
    assert str(fault).startswith(f"pod default/shop-1, container main, {annotation}: ")
    assert len(str(fault)) < 600
    assert "\n" not in str(fault)


@pytest.mark.parametrize(
    "rate",
    [True, "often", "nan", None, -0.1, 1.1, [], {}, float("nan"), float("inf"), "1" * 31, "0x1", "\u0660"],
)
def test_a_rate_that_is_no_share_drops_its_rule_alone(rate: object) -> None:
    """The Scalyr agent would refuse its whole configuration."""
    rules = [{"match_expression": "a", "sampling_rate": rate}, RULE]
    wishes = wishes_of(annotated(SAMPLING, [{"container": "main", "sampling-rules": rules}]))
    assert wishes.sampling == (RULE,)
    assert len(wishes.refused) == 1


@pytest.mark.parametrize("rate", [0, 1, 0.5, "0.1", "1", 1e-05])
def test_a_rate_is_handed_on_as_it_was_written(rate: object) -> None:
    rule = {"match_expression": "a", "sampling_rate": rate}
    wishes = wishes_of(annotated(SAMPLING, [{"container": "main", "sampling-rules": [rule]}]))
    assert wishes.sampling == (rule,)
    assert wishes.refused == ()


BAD_REDACTION: list[Any] = [
    7,
    {},
    {"match_expression": 7},
    {"match_expression": ""},
    {"match_expression": "("},
    {"match_expression": "x", "replacement": 7},
    {"match_expression": "x", "replacement": r"\1"},
    {"match_expression": "x", "replacement": r"\q"},
    {"match_expression": "x", "hash_salt": 7},
]


@pytest.mark.parametrize("rule", BAD_REDACTION)
def test_a_bad_redaction_rule_is_dropped_and_the_others_stay(rule: object) -> None:
    good = {"match_expression": "card=(\\d+)", "replacement": "card=\\H1", "hash_salt": "salt"}
    value = [{"container": "main", "redaction-rules": [rule, good]}]
    wishes = wishes_of(annotated(REDACTION, value))
    assert wishes.redaction == (good,)
    assert "rule 0 is left out" in str(wishes.refused[0])


def test_what_the_agent_does_not_know_of_a_rule_is_not_handed_on() -> None:
    rule = {"match_expression": "x", "replacement": None, "colour": "red"}
    wishes = wishes_of(annotated(REDACTION, [{"container": "main", "redaction-rules": [rule]}]))
    assert wishes.redaction == ({"match_expression": "x"},)
    assert wishes.refused == ()


def test_the_number_of_rules_is_bounded() -> None:
    value = [{"container": "main", "sampling-rules": [RULE] * 101}]
    wishes = wishes_of(annotated(SAMPLING, value))
    assert len(wishes.sampling) == 100
    assert len(wishes.refused) == 1


def test_many_faults_of_one_value_are_one_short_warning() -> None:
    value = [{"container": "main", "sampling-rules": [{"match_expression": "("}] * 50}]
    (fault,) = wishes_of(annotated(SAMPLING, value)).refused
    assert str(fault).endswith("; and 47 more")


def test_two_containers_with_one_odd_annotation_are_objected_to_each(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([annotated(PARSER, "{"), annotated(PARSER, "{", name="other", number=2)])
    assert [it.target.container_name for it in agent.objections()] == ["main", "other"]


def test_one_pods_oddities_take_nothing_from_its_neighbours(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    odd = [annotated(SAMPLING, value, number=number) for number, value in enumerate(ODD, start=10)]
    agent.sync([a_target(1), *odd, a_target(2)])
    assert len(written(agent)["logs"]) == len(odd) + 2
