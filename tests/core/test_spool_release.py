"""When a closed segment may go."""

from __future__ import annotations

import attrs
import pytest

from kube_log_watcher_core import Progress
from kube_log_watcher_core.spool.release import (
    Closed,
    Room,
    SpoolRules,
    beyond_bounds,
    is_done_with,
    seconds_between_looks,
)

RULES = SpoolRules(seconds=900, max_bytes=1000, min_free_percent=10)
SEGMENT = Closed(key="k", number=1, inode=7, size=100, links=1, since=1000.0)
PLENTY = Room(total=10_000, free=9_000)


def account(read_bytes: int = 100, at: float = 1010.0) -> Progress:
    return Progress(read_bytes=read_bytes, at=at, pending=False, closed=False)


@pytest.mark.parametrize(
    ("accounts", "now", "expected"),
    [
        ([account()], 1010.0, True),
        ([account(99)], 5000.0, False),
        ([account(at=1001.0)], 1010.0, False),
        ([None], 1899.0, False),
        ([None], 1900.0, True),
        ([account(), None], 1010.0, False),
        ([account(), None], 1900.0, True),
        ([account(), account(0)], 9000.0, False),
    ],
)
def test_a_segment_goes_when_each_shipper_has_read_it_or_without_an_account_has_had_its_time(
    accounts: list[Progress | None], now: float, *, expected: bool
) -> None:
    assert is_done_with(SEGMENT, accounts, RULES, now=now) is expected


def segments(count: int, *, size: int = 300, links: int = 1) -> list[Closed]:
    return [
        attrs.evolve(SEGMENT, number=number, size=size, links=links, since=1000.0 + number)
        for number in range(count)
    ]


def test_beyond_the_bytes_that_only_the_spool_holds_the_oldest_go() -> None:
    assert [each.number for each in beyond_bounds(segments(5)[::-1], PLENTY, RULES)] == [0, 1]


def test_what_pods_still_hold_themselves_counts_as_nothing() -> None:
    assert beyond_bounds(segments(50, links=2), Room(total=10_000, free=0), RULES) == []


def test_where_the_file_system_fills_the_oldest_go_until_enough_is_free() -> None:
    given_up = beyond_bounds(segments(3), Room(total=10_000, free=600), RULES)
    assert [each.number for each in given_up] == [0, 1]


def test_within_the_bounds_nothing_goes() -> None:
    assert beyond_bounds(segments(3), PLENTY, RULES) == []


@pytest.mark.parametrize(("closed", "expected"), [(1, 2.0), (800, 2.0), (4000, 10.0)])
def test_the_more_segments_wait_the_less_often_shippers_are_asked(closed: int, expected: float) -> None:
    assert seconds_between_looks(closed) == expected
