"""Sampling rules from the settings."""

from __future__ import annotations

import binascii
import datetime as dt
import json
import logging
from pathlib import Path

import pytest

from kube_log_watcher_scalyr.sampling import read_entries, rules_for
from scalyr_support import SAMPLING, a_target, an_agent, synced


def rule(name: str) -> dict[str, object]:
    return {"match_expression": name, "sampling_rate": 0}


def value(name: str, *, container: str = "main") -> list[dict[str, object]]:
    return [{"container": container, "sampling-rules": [rule(name)]}]


def test_the_first_entry_that_applies_counts_and_wins_over_the_annotation(tmp_path: Path) -> None:
    entries = (
        {"application": "cart", "value": value("CART")},
        {"application": "shop", "component": "api", "value": value("API")},
        {"value": json.dumps(value("ALL"))},
        {"value": value("NEVER")},
    )
    annotations = {SAMPLING: json.dumps(value("ANNOTATED"))}
    api = a_target(1, labels={"application": "shop", "component": "api"}, annotations=annotations)
    other = a_target(2, annotations=annotations)
    logs = synced(tmp_path, api, other, sampling_rules=entries)["logs"]
    assert [entry["sampling_rules"] for entry in logs] == [[rule("API")], [rule("ALL")]]


def test_the_annotation_counts_where_no_entry_applies(tmp_path: Path) -> None:
    entries = ({"application": "cart", "value": value("CART")},)
    target = a_target(annotations={SAMPLING: json.dumps(value("ANNOTATED"))})
    (entry,) = synced(tmp_path, target, sampling_rules=entries)["logs"]
    assert entry["sampling_rules"] == [rule("ANNOTATED")]


def test_an_entry_that_applies_but_names_another_container_leaves_no_sampling(tmp_path: Path) -> None:
    """The entry takes the whole annotation's place, as it did in the original."""
    entries = ({"value": value("X", container="other")},)
    target = a_target(annotations={SAMPLING: json.dumps(value("ANNOTATED"))})
    (entry,) = synced(tmp_path, target, sampling_rules=entries)["logs"]
    assert "sampling_rules" not in entry


@pytest.mark.parametrize("probability", [0, 0.25, 0.5, 1])
def test_chance_is_the_crc_of_the_container_id(probability: float) -> None:
    entries, _ = read_entries([{"probability": probability, "value": value("X")}])
    for number in range(200):
        target = a_target(number)
        expected = binascii.crc32(target.id.encode()) % 100 + 1 <= probability * 100
        assert (rules_for(entries, target) is not None) == expected


def test_probability_zero_is_never_and_one_is_always() -> None:
    never, _ = read_entries([{"probability": 0, "value": value("X")}])
    always, _ = read_entries([{"probability": 1, "value": value("X")}])
    assert all(rules_for(never, a_target(number)) is None for number in range(300))
    assert all(rules_for(always, a_target(number)) == (rule("X"),) for number in range(300))


@pytest.mark.parametrize(
    "entry",
    [
        "shop",
        None,
        {},
        {"application": "one"},
        {"value": "not json"},
        {"value": "[" * 100_000},
        {"value": '{"container": "main"}'},
        {"value": 7},
        {"value": dt.date(2024, 1, 1)},
        {"probability": 7, "value": value("X")},
        {"probability": -0.1, "value": value("X")},
        {"probability": True, "value": value("X")},
        {"probability": "half", "value": value("X")},
        {"probability": float("nan"), "value": value("X")},
        {"application": 7, "value": value("X")},
        {"component": ["api"], "value": value("X")},
    ],
)
def test_a_faulty_entry_is_left_out_and_the_others_count(entry: object) -> None:
    entries, reasons = read_entries([entry, {"value": value("GOOD")}])
    assert rules_for(entries, a_target()) == (rule("GOOD"),)
    (reason,) = reasons
    assert reason.startswith("sampling_rules[0] is left out: ")


def test_a_bad_rule_inside_an_entry_is_left_out_alone() -> None:
    rules = [{"match_expression": "("}, rule("GOOD")]
    entries, reasons = read_entries([{"value": [{"container": "main", "sampling-rules": rules}]}])
    assert rules_for(entries, a_target()) == (rule("GOOD"),)
    assert len(reasons) == 1


def test_faulty_entries_are_reported_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        agent = an_agent(tmp_path, sampling_rules=({"value": "not json"}, {"value": []}))
        agent.sync([a_target()])
        agent.sync([a_target(), a_target(2)])
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "sampling_rules[0] is left out: value is no JSON" in caplog.text
    assert "sampling_rules[1]: value names no container" in caplog.text
