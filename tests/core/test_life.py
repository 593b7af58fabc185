"""One log's life, as a table."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import Layout
from kube_log_watcher_core.models import Container, Obstacle, Reason, Skipped
from kube_log_watcher_core.reconcile import Life, State
from kube_log_watcher_core.reconcile.life import RULES, Seen, seen_of_skipped, seen_of_target
from kube_log_watcher_testing import make_target

ABSENT, LEFT, AWAITED, SKIPPED = State.ABSENT, State.LEFT, State.AWAITED, State.SKIPPED
FOLLOWED, GOING, GONE, RELEASED = State.FOLLOWED, State.GOING, State.GONE, State.RELEASED

SIGHTS = (Seen.WANTED, Seen.ENDING, Seen.AWAITED, Seen.UNWANTED, Seen.LOGLESS, Seen.NOTHING)

# Where a log stood, and where it stands when a pass sees one of these.
TABLE = {
    ABSENT: (FOLLOWED, GOING, AWAITED, SKIPPED, SKIPPED, ABSENT),
    AWAITED: (FOLLOWED, GOING, AWAITED, SKIPPED, SKIPPED, ABSENT),
    SKIPPED: (FOLLOWED, GOING, AWAITED, SKIPPED, SKIPPED, ABSENT),
    LEFT: (FOLLOWED, GOING, AWAITED, SKIPPED, GONE, GONE),
    FOLLOWED: (FOLLOWED, GOING, AWAITED, SKIPPED, GONE, GONE),
    GOING: (FOLLOWED, GOING, AWAITED, SKIPPED, GONE, GONE),
    GONE: (FOLLOWED, GOING, AWAITED, SKIPPED, GONE, GONE),
    RELEASED: (FOLLOWED, GOING, AWAITED, SKIPPED, RELEASED, ABSENT),
}


def life(state: State) -> Life:
    return Life(key="a", state=state, since=1.0, first_seen=0.0)


@pytest.mark.parametrize(("state", "then"), TABLE.items(), ids=lambda state: getattr(state, "value", ""))
def test_what_follows_what(state: State, then: tuple[State, ...]) -> None:
    assert tuple(life(state).after(seen, 2.0).state for seen in SIGHTS) == then


def test_only_a_gone_log_can_have_been_read() -> None:
    assert {state for state in State if Seen.READ in RULES[state]} == {GONE}
    assert life(GONE).after(Seen.READ, 2.0).state is RELEASED


def test_every_state_knows_what_follows_whatever_is_seen() -> None:
    assert TABLE.keys() == set(State)
    assert all(set(SIGHTS) <= RULES[state].keys() for state in State)


def test_nothing_that_agents_are_handed_is_forgotten_at_a_stroke() -> None:
    """Nor is it left out because its files are gone: it drains."""
    for state in (LEFT, FOLLOWED, GOING, GONE):
        assert ABSENT not in RULES[state].values()
        assert RULES[state][Seen.LOGLESS] is RULES[state][Seen.NOTHING] is GONE


def test_a_state_counts_from_the_pass_that_led_to_it() -> None:
    assert life(FOLLOWED).after(Seen.WANTED, 2.0).since == 1.0
    assert life(FOLLOWED).after(Seen.ENDING, 2.0).since == 2.0


@pytest.mark.parametrize(
    ("reason", "obstacle", "seen"),
    [
        (Reason.POD_AWAITED, False, Seen.AWAITED),
        (Reason.POD_UNKNOWN, False, Seen.AWAITED),
        (Reason.ID_UNKNOWN, False, Seen.AWAITED),
        (Reason.POD_REPLACED, False, Seen.UNWANTED),
        (Reason.LABEL_MISSING, False, Seen.UNWANTED),
        (Reason.EXCLUDED, False, Seen.UNWANTED),
        (Reason.NO_LOG, True, Seen.LOGLESS),
        (Reason.NO_CONFIG, True, Seen.LOGLESS),
        (Reason.BROKEN_CONFIG, True, Seen.LOGLESS),
        (Reason.NOT_A_FILE, True, Seen.UNWANTED),
        (Reason.OUTSIDE_ROOTS, True, Seen.UNWANTED),
    ],
)
def test_what_a_skipped_container_shows_of_its_log(reason: Reason, obstacle: bool, seen: Seen) -> None:
    shown = Container(key="a", layout=Layout.CRI, obstacle=Obstacle(reason) if obstacle else None)
    assert seen_of_skipped(Skipped(shown, reason)) is seen


def test_a_target_is_ending_when_its_pod_is_being_deleted() -> None:
    target = make_target()
    ending = attrs.evolve(target, pod=attrs.evolve(target.pod, deleted=5.0), log_path=Path("/x"))
    assert (seen_of_target(target), seen_of_target(ending)) == (Seen.WANTED, Seen.ENDING)
