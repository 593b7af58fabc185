"""What an agent objects to is told once, stands wherever somebody asks, and is said to be mended."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import pytest

from kube_log_watcher_core import BaseAgent, LogTarget, NodeContext, Objection
from kube_log_watcher_core.agents import Objections
from kube_log_watcher_core.annotations import SETTINGS, misspelt
from kube_log_watcher_core.models import Reason
from kube_log_watcher_core.observe.log_state import LogState, count_states, state_of_skipped, state_of_target
from kube_log_watcher_core.resolve import Resolution
from kube_log_watcher_core.spool import SpoolView
from kube_log_watcher_testing.factories import make_container, make_target

PARSER = "kubernetes-log-watcher/scalyr-parser"
READ = SETTINGS | {"scalyr-parser", "scalyr-redaction-rules"}


class Picky(BaseAgent[None]):
    """Objects to whatever it is told to."""

    def __init__(self) -> None:
        super().__init__(None, NodeContext())
        self.found: Sequence[Objection] = ()
        self.broken = False

    def sync(self, targets: Sequence[LogTarget]) -> None:
        """Do nothing."""

    def objections(self) -> Iterable[Objection]:
        if self.broken:
            raise RuntimeError("out of order")
        return self.found


def target(value: str, number: int = 1, *, label: str = "shop") -> LogTarget:
    return make_target(make_container(number), labels={"application": label}, annotations={PARSER: value})


def objection(value: str, number: int = 1, *, holds: bool = False, label: str = "shop") -> Objection:
    return Objection(target(value, number, label=label), PARSER, "no JSON", holds=holds)


@pytest.fixture
def picky() -> Picky:
    return Picky()


@pytest.fixture
def objections(picky: Picky) -> Objections:
    return Objections("picky", picky)


def look(objections: Objections, picky: Picky, *found: Objection) -> None:
    picky.found = found
    objections.look([each.target for each in found] or [target("x")])


def test_it_is_warned_of_once_and_again_when_the_value_changes(
    objections: Objections, picky: Picky, caplog: pytest.LogCaptureFixture
) -> None:
    """Not at every sync, and not when something else of the pod changes."""
    look(objections, picky, objection("{"))
    look(objections, picky, objection("{"))
    look(objections, picky, objection("{", label="other"))
    assert caplog.messages == [f"pod default/shop-1, container main, {PARSER}: no JSON"]
    look(objections, picky, objection("["))
    assert len(caplog.records) == 2


def test_json_lines_name_the_agent_the_pod_and_what_becomes_of_the_log(
    objections: Objections, picky: Picky, caplog: pytest.LogCaptureFixture
) -> None:
    look(objections, picky, objection("{", holds=True), objection("{", 2))
    held, ignored = (vars(record) for record in caplog.records)
    assert (held["event"], ignored["event"]) == ("log-held", "annotation-ignored")
    assert {held[name] for name in ("agent", "namespace", "pod", "container")} == {
        "picky",
        "default",
        "shop-1",
        "main",
    }


def test_what_is_mended_is_said_and_what_leaves_with_its_container_is_not_called_so(
    objections: Objections, picky: Picky, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        look(objections, picky, objection("{"), objection("{", 2))
        look(objections, picky)
    assert caplog.messages[2:] == [f"pod default/shop-1, container main, {PARSER}: mended"]
    assert objections.by_key == {}


def test_one_that_holds_counts_and_one_that_leaves_out_a_part_does_not(
    objections: Objections, picky: Picky
) -> None:
    look(objections, picky, objection("{", 1, holds=True), objection("{", 2))
    assert objections.held == {target("{").container.key}
    assert len(objections.by_key) == 2


def test_what_an_agent_said_stands_while_it_can_not_tell(
    objections: Objections, picky: Picky, caplog: pytest.LogCaptureFixture
) -> None:
    look(objections, picky, objection("{", holds=True))
    picky.broken = True
    look(objections, picky)
    assert len(objections.held) == 1
    assert "agent picky can't tell what it objects to" in caplog.text


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("scaylr-parser", "scalyr-parser"),
        ("exlude", "exclude"),
        ("exclude.mian", "exclude.main"),
        ("scalyr-parsre.mian", "scalyr-parser.main"),
        ("scalyr-redaction-rule", "scalyr-redaction-rules"),
    ],
)
def test_a_misspelt_annotation_is_told_with_what_may_be_meant(name: str, meant: str) -> None:
    given = {f"kubernetes-log-watcher/{name}": "x"}
    assert list(misspelt(given, READ, {"main", "sidecar"})) == [
        (f"kubernetes-log-watcher/{name}", f"nobody reads it: did you mean kubernetes-log-watcher/{meant}?")
    ]


@pytest.mark.parametrize(
    "name",
    [
        "kubernetes-log-watcher/scalyr-parser.main",
        "kubernetes-log-watcher/exclude",
        "kubernetes-log-watcher/tailor-stitches",
        "kubernetes-log-watcher/exclude.something-else",
        "example.org/exlude",
    ],
)
def test_what_is_read_or_may_be_for_somebody_else_is_left_alone(name: str) -> None:
    assert list(misspelt({name: "x"}, READ, {"main", "sidecar"})) == []


def test_before_the_containers_names_are_known_none_is_called_misspelt() -> None:
    assert list(misspelt({"kubernetes-log-watcher/exclude.mian": "x"}, READ, ())) == []


def test_only_so_many_unknown_annotations_are_compared() -> None:
    many = {f"kubernetes-log-watcher/exclud{number}": "x" for number in range(1000)}
    assert len(list(misspelt(many, READ, ()))) == 20


def test_every_log_has_one_state() -> None:
    view = SpoolView()
    assert state_of_target("a", is_gone=False, held=(), spool=view) is LogState.FOLLOWED
    assert state_of_target("a", is_gone=False, held={"a"}, spool=view) is LogState.HELD
    assert state_of_target("a", is_gone=True, held=(), spool=view) is LogState.DRAINING
    assert state_of_skipped(Reason.POD_AWAITED) is LogState.WAITING
    assert state_of_skipped(Reason.POD_UNKNOWN) is LogState.SKIPPED


def test_states_are_counted_once_for_each_log() -> None:
    resolution = Resolution(targets=(target("x", 1), target("x", 2)))
    counts = count_states(resolution, draining=3, held={target("x").container.key}, spool=SpoolView())
    assert {state.value: count for state, count in counts.items() if count} == {
        "followed": 1,
        "held": 1,
        "draining": 3,
    }
