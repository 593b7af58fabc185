"""What Fluent Bit is told of a pod: all of it, bounded, and only annotations that are safe or chosen."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from fluentbit_support import spooled
from kube_log_watcher_core import LogTarget
from kube_log_watcher_fluentbit.metadata import MULTILINE, TRUNCATED, metadata
from kube_log_watcher_static import MOST_BYTES

REDACTION = "kubernetes-log-watcher/scalyr-redaction-rules"
RULES = '[{"match_expression": "x"}]'


def told(target: LogTarget, chosen: Collection[str] = ()) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(metadata(target, chosen))
    return document


def told_annotations(given: Mapping[str, str], chosen: Collection[str] = ()) -> dict[str, str]:
    found: dict[str, str] = told(spooled(annotations=given), chosen)["metadata"]["annotations"]
    return found


def test_it_is_a_part_of_what_the_api_says_of_a_pod() -> None:
    assert told(spooled(7, labels={"application": "${HOME}\n[OUTPUT]"})) == {
        "metadata": {"uid": "uid-7", "labels": {"application": "${HOME}\n[OUTPUT]"}, "annotations": {}},
        "spec": {"nodeName": "node-1"},
        "status": {
            "containerStatuses": [{"name": "main", "image": "registry.example.org/team/app:1.0"}],
        },
    }


def test_only_chosen_annotations_are_told() -> None:
    given = {"team": "blue", "secret": "s"}
    assert told_annotations(given) == {}
    assert told_annotations(given, {"team"}) == {"team": "blue"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fluentbit.io/parser", "apache2"),
        ("fluentbit.io/parser_stderr-main", "app-1.0_x"),
        ("fluentbit.io/exclude", "true"),
        ("fluentbit.io/exclude-side", "False"),
        (MULTILINE, "java"),
    ],
)
def test_what_fluent_bit_acts_on_is_told_unasked(name: str, value: str) -> None:
    assert told_annotations({name: value}) == {name: value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fluentbit.io/parser", "${HOME}"),
        ("fluentbit.io/parser", "x" * 101),
        ("fluentbit.io/parser-main\n", "json"),
        ("fluentbit.io/exclude", "maybe"),
        ("fluentbit.io/other", "true"),
        (MULTILINE, "java|python"),
        (MULTILINE, "cobol"),
    ],
)
def test_what_is_no_name_of_a_parser_and_no_yes_or_no_is_left_out(name: str, value: str) -> None:
    assert told_annotations({name: value}) == {}


def test_a_container_whose_log_must_be_redacted_is_excluded_whatever_its_pod_says() -> None:
    given = {f"{REDACTION}.main": RULES, "fluentbit.io/exclude_stdout-main": "false"}
    assert told_annotations(given) == {
        "fluentbit.io/exclude-main": "true",
        "fluentbit.io/exclude_stdout-main": "true",
        "fluentbit.io/exclude_stderr-main": "true",
    }


def test_other_containers_of_its_pod_are_shipped() -> None:
    assert told_annotations({f"{REDACTION}.other": RULES}) == {}


def test_beyond_its_bound_it_loses_annotations_then_labels_and_says_so() -> None:
    many = {f"example.org/{number}": "\N{SNOWMAN}" * 900 for number in range(10)}
    asks = {"fluentbit.io/exclude": "true"}
    without = told(spooled(annotations={**many, **asks}), many)
    assert without["metadata"]["annotations"] == {**asks, TRUNCATED: "annotations"}
    assert without["metadata"]["labels"] == {"application": "shop", "version": "v7"}
    bare = metadata(spooled(labels=many, annotations={**many, **asks}), many)
    assert json.loads(bare)["metadata"]["annotations"] == {**asks, TRUNCATED: "annotations, labels"}
    assert len(bare) <= MOST_BYTES
