"""How soon hints are acted on."""

from __future__ import annotations

import itertools

from kube_log_watcher_core.loop.pace import Pace


def passes(hints: list[float]) -> list[float]:
    """Give the times of the passes that a row of hints leads to."""
    pace, done = Pace(), list[float]()
    for hint in hints:
        if not done or hint > done[-1]:
            at = hint + pace.hold(hint)
            pace.passed(at)
            done.append(at)
    return done


def test_the_first_hint_after_quiet_is_acted_on_at_once() -> None:
    assert passes([10.0, 20.0, 30.0]) == [10.0, 20.0, 30.0]


def test_the_second_hint_of_a_burst_waits_only_milliseconds() -> None:
    first, second = passes([10.0, 10.001])
    assert second - first < 0.005


def test_a_thousand_hints_in_ten_seconds_lead_to_few_passes() -> None:
    done = passes([n / 100 for n in range(1000)])
    assert len(done) < 70
    assert max(later - earlier for earlier, later in itertools.pairwise(done)) <= 0.25
