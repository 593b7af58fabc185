"""When a closed segment may go: read by every shipper, waited for long enough, or beyond the bounds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from kube_log_watcher_core.models import Progress

SETTLE_SECONDS = 2.0
"""A runtime writes on to a renamed file until it is told to reopen its log: its size may still grow."""

LOOK_SECONDS = 2.0
"""How often shippers are asked how far they have read, at the most."""
LOOKS_A_SECOND = 400
"""Closed segments: a look at one takes some 50 µs, so that all looks together take 2 % of a core."""


@attrs.frozen
class SpoolRules:
    """How long segments are kept, and how much of them."""

    seconds: float = 900.0
    """After its end, for a shipper that gives no account of what it has read."""
    max_bytes: int = 1024**3
    """Of what only the spool still holds."""
    min_free_percent: float = 15.0
    """Of the file system, so that the spool never is the reason of an eviction."""


@attrs.frozen
class Closed:
    """A segment that nothing is written to any more, as it stands on the disk."""

    key: str
    """Of its container."""
    number: int
    inode: int
    size: int
    """Bytes."""
    links: int
    """1: only the spool still holds it."""
    since: float
    """Seconds since the epoch at which it was closed."""

    @property
    def held_bytes(self) -> int:
        """What its removal gives back: nothing while the pod still has the file."""
        return self.size if self.links == 1 else 0


@attrs.frozen
class Room:
    """What a file system has, in bytes."""

    total: int
    free: int


def is_done_with(
    closed: Closed, accounts: Iterable[Progress | None], rules: SpoolRules, *, now: float
) -> bool:
    """Whether every shipper has read a segment, by its own account or by the time that one without has had.

    ``accounts`` has one entry for each agent; ``now`` in epoch seconds.
    """
    return all(
        now - closed.since >= rules.seconds if account is None else _has_read(closed, account, now=now)
        for account in accounts
    )


def _has_read(closed: Closed, account: Progress, *, now: float) -> bool:
    # The account's time is of the wall clock, which somebody may have set back since.
    settled = closed.since + SETTLE_SECONDS
    return account.read_bytes >= closed.size and account.at >= settled and now >= settled


def seconds_between_looks(closed: int) -> float:
    """Return how long to wait until shippers are asked again about so many closed segments.

    Where a shipper is down for long there are thousands, and none of them is read.
    """
    return max(LOOK_SECONDS, closed / LOOKS_A_SECOND)


def beyond_bounds(segments: Iterable[Closed], room: Room, rules: SpoolRules) -> Sequence[Closed]:
    """Return the segments that must go although somebody may not have read them: the oldest first."""
    ordered = sorted(
        (each for each in segments if each.held_bytes), key=lambda each: (each.since, each.key, each.number)
    )
    held = sum(each.held_bytes for each in ordered)
    lacking = max(held - rules.max_bytes, room.total * rules.min_free_percent / 100 - room.free)
    given_up = []
    for segment in ordered:
        if lacking <= 0:
            break
        given_up.append(segment)
        lacking -= segment.held_bytes
    return given_up
