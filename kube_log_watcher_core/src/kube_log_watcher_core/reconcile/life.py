"""One log's life: its record, its states, and the rules that lead from one to the next as one table. Pure.

A pass sees something of every log: on the disk, in the API, or from the agents. The table says what becomes
of it; the `Reconciler` keeps the records and does what follows.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

from kube_log_watcher_core.models import Departed, LogTarget, Reason, Remark, Skipped, Work
from kube_log_watcher_core.resolve import Resolution


class State(enum.Enum):
    """Where a log stands."""

    ABSENT = "absent"
    """Nothing is known of it: so it begins, and so it is forgotten."""
    LEFT = "left"
    """An earlier process followed it, and no pass has looked at it since."""
    AWAITED = "awaited"
    """It is there, and its pod or its id is still to come."""
    SKIPPED = "skipped"
    """It, or something of its container, is there, and it is not followed for a reason of its own."""
    FOLLOWED = "followed"
    """Agents are handed it."""
    GOING = "going"
    """The same, and its pod is being deleted: its last lines are to come."""
    GONE = "gone"
    """It has left the disk, and agents are still handed it: their shippers may be reading. It drains."""
    RELEASED = "released"
    """It was read, or waited for, and something of its container is still on the disk."""


class Seen(enum.Enum):
    """What a pass sees of a log."""

    WANTED = "it is to be followed"
    ENDING = "the same, and its pod is being deleted"
    AWAITED = "its pod or its id is not known yet"
    UNWANTED = "it is not to be followed: its author, the operator or the node is against it"
    LOGLESS = "its container is there without it: what is removed goes file by file, in no fixed order"
    NOTHING = "nothing of it is on the disk"
    READ = "it is gone, and no agent waits for it any more, or its time is over"


_THERE = {
    Seen.WANTED: State.FOLLOWED,
    Seen.ENDING: State.GOING,
    Seen.AWAITED: State.AWAITED,
    # What somebody does not want any more does not drain either.
    Seen.UNWANTED: State.SKIPPED,
}
_NOT_FOLLOWED = {**_THERE, Seen.LOGLESS: State.SKIPPED, Seen.NOTHING: State.ABSENT}
_HANDED_OUT = {**_THERE, Seen.LOGLESS: State.GONE, Seen.NOTHING: State.GONE}

RULES: Mapping[State, Mapping[Seen, State]] = {
    State.ABSENT: _NOT_FOLLOWED,
    State.AWAITED: _NOT_FOLLOWED,
    State.SKIPPED: _NOT_FOLLOWED,
    State.LEFT: _HANDED_OUT,
    State.FOLLOWED: _HANDED_OUT,
    State.GOING: _HANDED_OUT,
    State.GONE: {**_HANDED_OUT, Seen.READ: State.RELEASED},
    # What was read drains again only after it was followed again.
    State.RELEASED: {**_THERE, Seen.LOGLESS: State.RELEASED, Seen.NOTHING: State.ABSENT},
}

WAITS_FOR_POD = frozenset({Reason.POD_AWAITED, Reason.POD_UNKNOWN})
"""What a fresh list of pods may end."""
WAITS = WAITS_FOR_POD | {Reason.ID_UNKNOWN}
"""What the watcher waits for. All other reasons are somebody's will, or the node's."""

_WITHOUT_LOG = (Reason.NO_LOG, Reason.NO_CONFIG, Reason.BROKEN_CONFIG)


@attrs.frozen(kw_only=True)
class Life:
    """All that is known of one container's log, from its first sight until it is forgotten."""

    key: str
    """The container's."""
    state: State = State.ABSENT
    since: float
    """When it came into this state, by the monotonic clock."""
    first_seen: float
    """Seconds since the epoch."""
    target: LogTarget | None = None
    """As what it is followed, or was: it keeps its pod and its id for as long as anything is known of it."""
    skip: Skipped | None = None
    """Why it is not followed now."""
    remarks: frozenset[Remark] = frozenset()
    """What was not understood when it was decided about."""
    size: int | None = None
    """The log's bytes when it was looked at last; None while it never was."""
    departed: Departed | None = None
    """What agents are handed of it while it drains."""
    is_new: bool = True
    """Whether it has come since the first look, and was neither followed nor refused since."""
    is_listed_for: bool = False
    """Whether a fresh list of pods was asked for since its pod is overdue."""

    @property
    def is_followed(self) -> bool:
        """Whether it is on the disk, and agents are handed it."""
        return self.state is State.FOLLOWED or self.state is State.GOING

    def after(self, seen: Seen, now: float) -> Life:
        """Return the record after a pass has seen this of it."""
        state = RULES[self.state][seen]
        if state is self.state:
            return self
        return attrs.evolve(self, state=state, since=now, departed=None)


@attrs.frozen
class Change:
    """A log's step from one record to the next."""

    before: Life
    after: Life
    appeared: float | None = None
    """When a log that is followed from now on appeared; None when that is not known, or long ago."""


@attrs.frozen
class Pass:
    """What one pass decided, and what is new in that."""

    resolution: Resolution
    """All containers: each is a target or skipped."""
    work: Work
    """What agents are to be handed."""
    changes: tuple[Change, ...] = ()

    def followed_by(self, later: Pass) -> Pass:
        """Return both as one: what was decided last, and what is new in either."""
        return Pass(later.resolution, later.work, (*self.changes, *later.changes))

    @property
    def came(self) -> tuple[Change, ...]:
        """The logs that are followed from now on."""
        return tuple(it for it in self.changes if it.after.is_followed and not it.before.is_followed)

    @property
    def went(self) -> tuple[Change, ...]:
        """The logs that are no longer followed: gone, or not wanted any more."""
        return tuple(it for it in self.changes if it.before.is_followed and not it.after.is_followed)

    @property
    def released(self) -> tuple[Change, ...]:
        """The logs that had gone, and that agents are no longer handed."""
        return tuple(it for it in self.changes if it.before.departed and not it.after.departed)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What is skipped from now on, or for another reason than before."""
        skips = ((it.before.skip, it.after.skip) for it in self.changes)
        return tuple(
            after for before, after in skips if after and (not before or before.reason is not after.reason)
        )

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What was not understood now, and was before or was not there."""
        return tuple(remark for it in self.changes for remark in it.after.remarks - it.before.remarks)


def seen_of_target(target: LogTarget) -> Seen:
    """Return what a pass sees of a log that is to be followed."""
    return Seen.WANTED if target.pod.deleted is None else Seen.ENDING


def seen_of_skipped(skip: Skipped) -> Seen:
    """Return what a pass sees of a log that can't be followed, or is not to be."""
    if skip.reason in WAITS:
        return Seen.AWAITED
    obstacle = skip.container.obstacle
    return Seen.LOGLESS if obstacle is not None and obstacle.reason in _WITHOUT_LOG else Seen.UNWANTED
