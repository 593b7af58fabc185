"""When unknown pods are worth a fresh list of all pods, counted."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import pytest

from kube_log_watcher_core.reconcile import Life, State
from kube_log_watcher_core.reconcile.fresh_lists import CALM_SECONDS, FreshLists


class Watcher:
    """The records of the logs whose pods are unknown, and the budget."""

    def __init__(self) -> None:
        self._lists = FreshLists()
        self._unknown: dict[str, Life] = {}

    def asks(self, keys: Iterable[str], now: float) -> bool:
        """Take the keys that are unknown now; whether to list."""
        self._unknown = {
            key: self._unknown.get(key) or Life(key=key, state=State.AWAITED, since=now, first_seen=now)
            for key in keys
        }
        due = self._lists.due(list(self._unknown.values()), now)
        self._unknown |= {life.key: attrs.evolve(life, is_listed_for=True) for life in due}
        return bool(due)

    def next_deadline(self) -> float | None:
        return self._lists.next_deadline(list(self._unknown.values()))


def test_an_unknown_pod_asks_for_a_list_after_five_seconds_and_then_ever_more_rarely() -> None:
    watcher = Watcher()
    asked = [now for now in range(3600) if watcher.asks(["a"], now)]
    assert asked == [5, 15, 35, 75, 155, 315, 635, 1235, 1835, 2435, 3035]


def test_after_a_calm_a_new_unknown_pod_asks_in_its_own_time_whatever_the_old_ones_do() -> None:
    watcher = Watcher()
    for now in range(1000):
        watcher.asks(["old"], now)
    watcher.asks(["old", "new"], 1000)
    assert watcher.next_deadline() == 1005
    asked = [now for now in range(1001, 1100) if watcher.asks(["old", "new"], now)]
    assert asked == [1005, 1015, 1035, 1075]


def test_many_unknown_pods_come_to_no_more_lists_than_one() -> None:
    """Four a second, each there for a while: one budget is theirs together."""
    watcher = Watcher()
    keys = ([f"{number}" for number in range(tick - 80, tick)] for tick in range(4 * 3600))
    assert sum(watcher.asks(each, tick / 4) for tick, each in enumerate(keys)) == 11


@pytest.mark.parametrize("every", [1, 5, 30, 119, 120, 121, 300])
def test_unknown_pods_that_come_slowly_are_no_poll_either(every: int) -> None:
    """However they are spread: at most as many lists as one pod asks for in a calm, for each calm."""
    watcher = Watcher()
    keys = ([f"{number}" for number in range(now // every + 1)] for now in range(3600))
    assert sum(watcher.asks(each, now) for now, each in enumerate(keys)) <= 4 * 3600 / CALM_SECONDS


def test_after_a_storm_and_a_calm_a_new_pod_gets_its_list_promptly() -> None:
    watcher = Watcher()
    for tick in range(4 * 600):
        watcher.asks([f"{number}" for number in range(tick - 80, tick)], tick / 4)
    for now in range(600, 600 + int(CALM_SECONDS)):
        watcher.asks([], now)
    assert watcher.next_deadline() is None
    assert [now for now in range(720, 740) if watcher.asks(["honest"], now)] == [725, 735]


def test_what_waits_for_the_budget_is_not_looked_at_in_between() -> None:
    watcher = Watcher()
    watcher.asks(["a"], 0)
    assert watcher.next_deadline() == 5
    watcher.asks(["a"], 5)
    watcher.asks(["a", "b"], 6)
    assert watcher.next_deadline() == 15
