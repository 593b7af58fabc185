"""One plain annotation for each setting, for the pod and for one of its containers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kube_log_watcher_scalyr.annotations import Wishes
from scalyr_support import (
    ATTRIBUTES,
    LINE_GROUPERS,
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
SECRET = {"match_expression": "secret"}
GROUPER = {"start": "^ERROR", "continueThrough": r"^\s"}


def read(annotations: dict[str, object], *, name: str = "main", hold: bool = False) -> Wishes:
    texts = {key: one if isinstance(one, str) else json.dumps(one) for key, one in annotations.items()}
    return wishes_of(a_target(annotations=texts, name=name), hold=hold)


def test_plain_annotations_are_for_all_containers_of_the_pod() -> None:
    wishes = read(
        {
            PARSER: "nginx",
            SAMPLING: [RULE],
            REDACTION: [SECRET],
            ATTRIBUTES: {"team": "shop", "tier": 3},
            LINE_GROUPERS: [GROUPER],
        }
    )
    assert wishes == Wishes(
        parser="nginx",
        sampling=(RULE,),
        redaction=(SECRET,),
        attributes={"team": "shop", "tier": 3},
        line_groupers=(GROUPER,),
    )


@pytest.mark.parametrize("pods", ["nginx", [{"container": "main", "parser": "listed"}]])
def test_a_containers_own_annotation_beats_the_pods(pods: object) -> None:
    annotations = {PARSER: pods, f"{PARSER}.main": "own", f"{PARSER}.other": "others"}
    assert read(annotations).parser == "own"
    assert read(annotations, name="other").parser == "others"


def test_a_containers_own_annotation_takes_the_place_of_the_pods_even_if_it_is_faulty_or_empty() -> None:
    """The two are not mixed: what a container ends up with stands in one place."""
    wishes = read({REDACTION: [SECRET], f"{REDACTION}.main": []})
    assert (wishes.redaction, wishes.refused) == ((), ())
    wishes = read({SAMPLING: [RULE], f"{SAMPLING}.main": "{"})
    assert wishes.sampling == ()
    assert [fault.annotation for fault in wishes.refused] == [f"{SAMPLING}.main"]


def test_a_list_with_containers_keeps_its_meaning_for_every_setting() -> None:
    annotations: dict[str, object] = {
        PARSER: [{"container": "main", "parser": "one"}, {"container": "main", "parser": "two"}],
        SAMPLING: [{"container": "main", "sampling-rules": [RULE]}],
        REDACTION: [{"container": "main", "redaction-rules": [SECRET]}],
        ATTRIBUTES: [{"container": "main", "attributes": {"team": "shop"}}],
        LINE_GROUPERS: [{"container": "main", "line-groupers": [GROUPER]}],
    }
    wishes = read(annotations)
    assert (wishes.parser, wishes.attributes, wishes.line_groupers) == ("one", {"team": "shop"}, (GROUPER,))
    assert (wishes.sampling, wishes.redaction, wishes.refused) == ((RULE,), (SECRET,), ())
    assert read(annotations, name="other") == Wishes()


@pytest.mark.parametrize("annotation", [PARSER, SAMPLING, REDACTION, ATTRIBUTES, LINE_GROUPERS])
def test_an_empty_list_asks_for_nothing_and_is_no_fault(annotation: str) -> None:
    assert read({annotation: []}, hold=True) == Wishes()


def test_a_list_in_which_one_member_names_a_container_is_one_by_containers() -> None:
    """The members without are reported: with redaction, nobody knows what they were to hide."""
    wishes = read({REDACTION: [{"container": "main", "redaction-rules": [SECRET]}, SECRET]}, hold=True)
    assert wishes.redaction == (SECRET,)
    assert wishes.held
    assert "without the name of a container" in str(wishes.refused[0])


@pytest.mark.parametrize("name", ["nginx", "null", "3", "my parser", "a/b:c", "f\u00e4ncy"])
def test_a_parser_is_plain_text(name: str) -> None:
    assert read({PARSER: f" {name}\n"}).parser == name


@pytest.mark.parametrize("text", ["", " ", "a\nb", "p" * 201, '"quoted"', "{}", "\U0001f600"])
def test_what_can_be_no_parser_is_reported(text: str) -> None:
    wishes = read({PARSER: text})
    assert wishes.parser is None
    assert len(wishes.refused) == 1


def test_attributes_come_besides_labels_and_beat_them(tmp_path: Path) -> None:
    target = a_target(
        annotations={ATTRIBUTES: json.dumps({"team": "mine", "tier": 3, "share": 0.5})},
        attributes={"team": "label", "zone": "b"},
    )
    (entry,) = synced(tmp_path, target)["logs"]
    own = {"team": "mine", "zone": "b", "tier": 3, "share": 0.5}
    assert own.items() <= entry["attributes"].items()


@pytest.mark.parametrize(
    "attributes",
    [
        {"serverHost": "x"},
        {"cluster": "x"},
        {"node": "x"},
        {"logfile": "x"},
        {"application": "x"},
        {"container_id": "x"},
        {"parser": "x"},
        {"environment": "x"},
        {"": "x"},
        {"n" * 201: "x"},
        {"\U0001f600": "x"},
        {"a": True},
        {"a": None},
        {"a": ["x"]},
        {"a": {}},
        {"a": "v" * 1001},
        {"a": "\ud83d"},
        {"a": 1e999},
        {"a": float("nan")},
        {"a": 10**400},
    ],
)
def test_a_bad_attribute_is_left_out_and_the_others_stay(attributes: dict[str, object]) -> None:
    """Reserved names are the watcher's; one boolean makes the Scalyr agent refuse everything."""
    wishes = read({ATTRIBUTES: {**attributes, "good": "yes"}})
    assert wishes.attributes == {"good": "yes"}
    (fault,) = wishes.refused
    assert "is left out" in str(fault)
    assert not wishes.held


@pytest.mark.parametrize("value", [[1], "text", 3, [{}]])
def test_attributes_that_are_no_object_are_a_fault(value: object) -> None:
    wishes = read({ATTRIBUTES: json.dumps(value)})
    assert wishes.attributes == {}
    assert "expected a JSON object" in str(wishes.refused[0])


def test_the_number_of_attributes_is_bounded() -> None:
    wishes = read({ATTRIBUTES: {f"a{number}": number for number in range(51)}})
    assert (len(wishes.attributes), len(wishes.refused)) == (50, 1)


def test_line_groupers_reach_the_file(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([a_target(annotations={LINE_GROUPERS: json.dumps([GROUPER])})])
    assert written(agent)["logs"][0]["lineGroupers"] == [GROUPER]


@pytest.mark.parametrize("kind", ["continueThrough", "continuePast", "haltBefore", "haltWith"])
def test_a_line_grouper_has_a_start_and_one_of_four_ends(kind: str) -> None:
    """What the agent doesn't know of one, or what is null, is not handed on."""
    odd = {"start": "a", kind: "b", "colour": "red", "haltBefore" if kind != "haltBefore" else "x": None}
    assert read({LINE_GROUPERS: [odd]}).line_groupers == ({"start": "a", kind: "b"},)


@pytest.mark.parametrize(
    "grouper",
    [
        7,
        {},
        {"start": "a"},
        {"haltWith": "a"},
        {"start": "a", "haltWith": "b", "haltBefore": "c"},
        {"start": 7, "haltWith": "b"},
        {"start": "a", "haltWith": 7},
        {"start": "a", "haltWith": ""},
        {"start": "(", "haltWith": "b"},
        {"start": "a", "haltWith": "("},
        {"start": "(a+)+$", "haltWith": "b"},
    ],
)
def test_a_bad_line_grouper_is_left_out_and_the_others_stay(grouper: object) -> None:
    """The Scalyr agent compiles these only after it took the configuration, and then copies nothing."""
    wishes = read({LINE_GROUPERS: [grouper, GROUPER]})
    assert wishes.line_groupers == (GROUPER,)
    assert "rule 0 is left out" in str(wishes.refused[0])
