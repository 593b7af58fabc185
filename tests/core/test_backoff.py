"""Waiting longer after each failure."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kube_log_watcher_core.backoff import Backoff


def longest() -> float:
    return 1.0


def shortest() -> float:
    return 0.0


def backoff(random: Callable[[], float] = longest) -> Backoff:
    return Backoff(first_seconds=0.8, random=random)


def test_waits_double_up_to_the_limit() -> None:
    waits = backoff()
    assert [waits.next(30.0) for _ in range(8)] == pytest.approx([0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30])


def test_chance_cuts_a_wait_by_half_at_most() -> None:
    waits = backoff(shortest)
    assert [waits.next(30.0) for _ in range(3)] == pytest.approx([0.4, 0.8, 1.6])


def test_a_success_starts_all_over() -> None:
    waits = backoff()
    waits.next(30.0)
    waits.next(30.0)
    waits.reset()
    assert waits.next(30.0) == pytest.approx(0.8)


def test_the_first_failure_may_be_free_but_the_second_is_not() -> None:
    waits = backoff()
    assert [waits.soon(30.0) for _ in range(4)] == pytest.approx([0.0, 1.6, 3.2, 6.4])


def test_a_year_of_failures_overflows_nothing() -> None:
    waits = backoff()
    assert max(waits.next(30.0) for _ in range(5000)) == pytest.approx(30.0)
