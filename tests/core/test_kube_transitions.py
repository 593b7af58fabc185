"""The rules of list and watch, as a table."""

from __future__ import annotations

import pytest

from kube_log_watcher_core.kube.transitions import (
    FAILURES_UNTIL_LIST,
    RULES,
    Course,
    ListAt,
    Move,
    Outcome,
    Pause,
    Step,
)

LOCATE, LIST, WATCH, ASK = Step.LOCATE, Step.LIST, Step.WATCH, Step.ASK


def course(step: Step, **fields: object) -> Course:
    return Course(step, forbidden_seconds=5.0, **fields)  # type: ignore[arg-type]


# What may happen, what it was doing, and what it does then: step, how long it waits before, and at which
# version a list would be.
TABLE = [
    (LOCATE, Outcome.LOCATED, LIST, Pause.NONE, ListAt.ANY),
    (LOCATE, Outcome.ASKED, LOCATE, Pause.DUE, ListAt.ANY),
    (LOCATE, Outcome.FAILED, LOCATE, Pause.BACKOFF, ListAt.ANY),
    (LOCATE, Outcome.FORBIDDEN, LOCATE, Pause.BACKOFF, ListAt.ANY),
    (LOCATE, Outcome.UNAUTHORIZED, LOCATE, Pause.RENEWAL, ListAt.ANY),
    (LIST, Outcome.LISTED, WATCH, Pause.NONE, ListAt.KNOWN),
    (LIST, Outcome.FAILED, LIST, Pause.BACKOFF, ListAt.ANY),
    (LIST, Outcome.EXPIRED, LIST, Pause.SOON, ListAt.NEWEST),
    (LIST, Outcome.FORBIDDEN, LIST, Pause.BACKOFF, ListAt.ANY),
    (LIST, Outcome.UNAUTHORIZED, LIST, Pause.RENEWAL, ListAt.ANY),
    (WATCH, Outcome.ENDED, WATCH, Pause.NONE, ListAt.KNOWN),
    (WATCH, Outcome.CUT, WATCH, Pause.SOON, ListAt.KNOWN),
    (WATCH, Outcome.SILENT, WATCH, Pause.NONE, ListAt.KNOWN),
    (WATCH, Outcome.EXPIRED, LIST, Pause.SOON, ListAt.NEWEST),
    (WATCH, Outcome.FAILED, WATCH, Pause.BACKOFF, ListAt.KNOWN),
    (WATCH, Outcome.FORBIDDEN, WATCH, Pause.BACKOFF, ListAt.KNOWN),
    (WATCH, Outcome.UNAUTHORIZED, WATCH, Pause.RENEWAL, ListAt.KNOWN),
    (WATCH, Outcome.LIST_ASKED_FOR, LIST, Pause.NONE, ListAt.KNOWN),
    (ASK, Outcome.ASKED, ASK, Pause.DUE, ListAt.KNOWN),
    (ASK, Outcome.LIST_DUE, LIST, Pause.NONE, ListAt.KNOWN),
    (ASK, Outcome.FAILED, ASK, Pause.BACKOFF, ListAt.KNOWN),
    (ASK, Outcome.FORBIDDEN, ASK, Pause.BACKOFF, ListAt.KNOWN),
    (ASK, Outcome.UNAUTHORIZED, ASK, Pause.RENEWAL, ListAt.KNOWN),
]


@pytest.mark.parametrize(("step", "outcome", "then", "pause", "list_at"), TABLE)
def test_what_follows_what(step: Step, outcome: Outcome, then: Step, pause: Pause, list_at: ListAt) -> None:
    where = course(step, list_at=ListAt.KNOWN if step in (WATCH, ASK) else ListAt.ANY)
    move = where.after(outcome, now=0.0)
    assert (where.step, move.pause, where.list_at) == (then, pause, list_at)


@pytest.mark.parametrize("step", list(Step))
def test_every_step_knows_what_to_do_after_every_kind_of_failure(step: Step) -> None:
    for outcome in (Outcome.UNAUTHORIZED, Outcome.FORBIDDEN, Outcome.EXPIRED, Outcome.FAILED):
        assert (step, outcome) in RULES
    assert (step, Outcome.FORBIDDEN_LASTS) in RULES


def test_a_failure_never_goes_on_without_a_wait() -> None:
    """Else a faulty server would be asked in a loop."""
    hasty = (Outcome.LOCATED, Outcome.LISTED, Outcome.ENDED, Outcome.SILENT, Outcome.LIST_DUE)
    asked_for = (Outcome.LIST_ASKED_FOR, Outcome.LIST_ASKED_FOR_AGAIN, Outcome.FORBIDDEN_LASTS)
    for (step, outcome), move in RULES.items():
        assert move.pause is not Pause.NONE or outcome in hasty + asked_for, (step, outcome)


def test_a_list_stays_at_its_version_while_it_fails() -> None:
    where = course(WATCH, list_at=ListAt.KNOWN)
    where.after(Outcome.EXPIRED, now=0.0)
    where.after(Outcome.FAILED, now=1.0)
    where.after(Outcome.UNAUTHORIZED, now=2.0)
    assert (where.step, where.list_at) == (LIST, ListAt.NEWEST)


@pytest.mark.parametrize("step", [LIST, WATCH])
def test_forbidden_is_taken_for_a_missing_right_only_when_it_lasts(step: Step) -> None:
    where = course(step)
    assert where.after(Outcome.FORBIDDEN, now=100.0).step is step
    assert where.forbidden_left(102.0) == pytest.approx(3.0)
    assert where.after(Outcome.FORBIDDEN, now=104.9).step is step
    assert where.after(Outcome.FORBIDDEN, now=105.0).step is ASK


def test_another_fault_in_between_does_not_hide_a_missing_right() -> None:
    where = course(LIST)
    where.after(Outcome.FORBIDDEN, now=0.0)
    where.after(Outcome.FAILED, now=3.0)
    assert where.after(Outcome.FORBIDDEN, now=6.0).step is ASK


def test_answers_between_two_refusals_make_them_two_moments() -> None:
    where = course(ASK)
    where.after(Outcome.FORBIDDEN, now=0.0)
    where.after(Outcome.ASKED, now=1.0)
    where.after(Outcome.FORBIDDEN, now=100.0)
    assert where.forbidden_left(100.0) == pytest.approx(5.0)


def test_a_list_between_two_refusals_makes_them_two_moments() -> None:
    where = course(LIST)
    where.after(Outcome.FORBIDDEN, now=0.0)
    where.after(Outcome.LISTED, now=1.0)
    where.step = LIST
    assert where.after(Outcome.FORBIDDEN, now=100.0).step is LIST


def test_a_right_to_list_without_one_to_watch_goes_back_to_asking_at_once() -> None:
    where = course(WATCH)
    where.after(Outcome.FORBIDDEN, now=0.0)
    where.after(Outcome.FORBIDDEN, now=5.0)
    where.after(Outcome.LIST_DUE, now=50.0)
    where.after(Outcome.LISTED, now=50.0)
    assert where.after(Outcome.FORBIDDEN, now=50.1).step is ASK


def test_an_open_watch_shows_that_no_right_is_missing() -> None:
    where = course(WATCH)
    where.after(Outcome.FORBIDDEN, now=0.0)
    where.opened()
    assert where.after(Outcome.FORBIDDEN, now=100.0).step is WATCH


def test_a_second_silence_in_a_row_asks_for_a_list() -> None:
    where = course(WATCH)
    assert where.after(Outcome.SILENT, now=0.0).step is WATCH
    assert where.after(Outcome.SILENT, now=130.0).step is LIST
    where.after(Outcome.LISTED, now=131.0)
    assert where.after(Outcome.SILENT, now=260.0).step is WATCH


def test_a_byte_between_two_silences_makes_them_two_firsts() -> None:
    where = course(WATCH)
    where.after(Outcome.SILENT, now=0.0)
    where.heard(changed=False)
    assert where.after(Outcome.SILENT, now=130.0).step is WATCH


@pytest.mark.parametrize("status", [500, 400, 404, 200])
def test_a_watch_that_is_refused_again_and_again_asks_for_a_list(status: int) -> None:
    """Its version may be one that no server understands."""
    where = course(WATCH)
    steps = [where.after(Outcome.FAILED, now=0.0, status=status).step for _ in range(FAILURES_UNTIL_LIST)]
    assert steps == [WATCH] * (FAILURES_UNTIL_LIST - 1) + [LIST]
    assert where.list_at is ListAt.NEWEST


@pytest.mark.parametrize("status", [None, 429, 502, 503, 504])
def test_a_server_that_is_away_or_overloaded_is_never_asked_for_a_list_instead(status: int | None) -> None:
    where = course(WATCH)
    assert {where.after(Outcome.FAILED, now=0.0, status=status).step for _ in range(50)} == {WATCH}


def test_a_stream_that_brings_something_makes_refusals_forgotten() -> None:
    where = course(WATCH)
    for _ in range(10):
        assert where.after(Outcome.FAILED, now=0.0, status=500).step is WATCH
        where.opened()
        where.heard(changed=False)


def refreshed(where: Course, *, changed: bool) -> ListAt:
    where.after(Outcome.LIST_ASKED_FOR, now=0.0)
    asked_at = where.list_at
    where.after(Outcome.LISTED, now=0.0)
    where.listed(asked_for=True, changed=changed)
    return asked_at


def test_every_second_fruitless_refresh_asks_for_the_newest_state() -> None:
    where = course(WATCH)
    asked = [refreshed(where, changed=False) for _ in range(4)]
    assert asked == [ListAt.KNOWN, ListAt.NEWEST, ListAt.KNOWN, ListAt.NEWEST]


def test_refreshes_that_bring_something_stay_cheap() -> None:
    where = course(WATCH)
    assert {refreshed(where, changed=True) for _ in range(4)} == {ListAt.KNOWN}


def test_a_stream_that_brings_something_makes_the_next_refresh_cheap() -> None:
    where = course(WATCH)
    refreshed(where, changed=False)
    where.heard(changed=True)
    assert refreshed(where, changed=False) is ListAt.KNOWN


def test_only_streams_that_last_prove_to_be_stable() -> None:
    stable = {outcome for (_, outcome), move in RULES.items() if move.stable}
    assert stable == {Outcome.ENDED, Outcome.SILENT}
    assert Move(LIST) == Move(LIST, Pause.NONE, None, stable=False)
