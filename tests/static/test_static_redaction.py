"""Redaction that a pod asks for: only what surely asks for nothing lets a log through."""

from __future__ import annotations

import json

import pytest

from kube_log_watcher_static import redaction_asked
from kube_log_watcher_testing.factories import make_container, make_target

NAME = "kubernetes-log-watcher/scalyr-redaction-rules"
RULE = {"match_expression": "card=(\\d+)"}


def asked(value: object, *, name: str = NAME) -> str | None:
    text = value if isinstance(value, str) else json.dumps(value)
    return redaction_asked(make_target(make_container(1, name="main"), annotations={name: text}))


@pytest.mark.parametrize(
    "value",
    [
        [RULE],
        [{"container": "main", "redaction-rules": [RULE]}],
        [{"container": "other"}, {"container": "main"}],
        [{"container": "other"}, RULE],
        {},
        None,
        "",
        "no JSON",
        "[" * 100_000,
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_asks_for_redaction_or_can_not_be_read_is_named(value: object) -> None:
    assert asked(value) == NAME


@pytest.mark.parametrize(
    "value",
    [
        [],
        [{"container": "other", "redaction-rules": [RULE]}],
        [{"container": "main", "redaction-rules": []}, {"container": "main", "redaction-rules": [RULE]}],
    ],
    ids=str,
)
def test_what_surely_asks_for_nothing_is_no_obstacle(value: object) -> None:
    assert asked(value) is None


def test_a_containers_own_annotation_beats_the_pods() -> None:
    assert asked([RULE], name=f"{NAME}.main") == f"{NAME}.main"
    assert asked([RULE], name=f"{NAME}.other") is None
    both = {NAME: json.dumps([RULE]), f"{NAME}.main": "[]"}
    assert redaction_asked(make_target(annotations=both)) is None


def test_no_annotation_asks_for_nothing() -> None:
    assert redaction_asked(make_target()) is None
