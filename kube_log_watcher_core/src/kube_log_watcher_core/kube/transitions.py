"""What to do next: the rules of list and watch as one table.

They are those of client-go's reflector, with what real servers were seen to do beyond them. Nothing here
does anything: the watch thread takes a step, says what came of it, and is told the next step.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs


class Step(enum.Enum):
    """What the watch thread does."""

    LOCATE = "locate"
    """Ask for pods found on disk, to learn this node's name from one."""
    LIST = "list"
    WATCH = "watch"
    ASK = "ask"
    """Ask for pods singly, where list or watch is forbidden."""


class Outcome(enum.Enum):
    """What came of a step."""

    LOCATED = "the node's name is known"
    LISTED = "the store was replaced"
    EMPTY = "a list without a pod, which the disk contradicts"
    ENDED = "a stream ended after a good while"
    CUT = "a stream ended soon"
    SILENT = "a stream brought nothing for too long"
    SILENT_AGAIN = "and so did the one before it"
    EXPIRED = "the resource version is too old, or from the future"
    UNAUTHORIZED = "the token is refused"
    FORBIDDEN = "a right is missing, maybe only for a moment"
    FORBIDDEN_LASTS = "a right is missing"
    FAILED = "no answer, or no useful one"
    FAILED_OFTEN = "and that several times, of a server that does answer"
    LIST_ASKED_FOR = "somebody asks for a fresh list"
    LIST_ASKED_FOR_AGAIN = "and the last one that was asked for brought nothing new"
    ASKED = "all questions that were due are answered"
    LIST_DUE = "it is time to try a list again"


class Pause(enum.Enum):
    """How long to wait before the next step."""

    NONE = "none"
    SOON = "the first time not at all, then as after failures"
    BACKOFF = "longer after each failure"
    RENEWAL = "as after a failure, but no longer than until the token's file changes"
    DUE = "until something is due"
    DOUBT = "until an empty list is asked for again"


class ListAt(enum.Enum):
    """Which resource version a list asks for."""

    ANY = "any"
    """``0``: what the server has in memory, however old. The cheapest, for a start."""
    KNOWN = "known"
    """Not older than what is known: from memory too, and never back in time."""
    NEWEST = "newest"
    """None: a consistent read. Old servers read all pods of the cluster from etcd for it."""


@attrs.frozen
class Move:
    """What follows an outcome."""

    step: Step
    pause: Pause = Pause.NONE
    list_at: ListAt | None = None
    """For the next list; None leaves it as it is."""
    stable: bool = False
    """Whether it proves that streams last, so that their early ends are forgotten."""


_LIST, _WATCH, _ASK, _LOCATE = Step.LIST, Step.WATCH, Step.ASK, Step.LOCATE

RULES: Mapping[tuple[Step, Outcome], Move] = {
    (_LOCATE, Outcome.LOCATED): Move(_LIST, list_at=ListAt.ANY),
    (_LOCATE, Outcome.ASKED): Move(_LOCATE, Pause.DUE),
    (_LOCATE, Outcome.UNAUTHORIZED): Move(_LOCATE, Pause.RENEWAL),
    (_LOCATE, Outcome.FORBIDDEN): Move(_LOCATE, Pause.BACKOFF),
    (_LOCATE, Outcome.FORBIDDEN_LASTS): Move(_LOCATE, Pause.BACKOFF),
    (_LOCATE, Outcome.EXPIRED): Move(_LOCATE, Pause.BACKOFF),
    (_LOCATE, Outcome.FAILED): Move(_LOCATE, Pause.BACKOFF),
    (_LIST, Outcome.LISTED): Move(_WATCH, list_at=ListAt.KNOWN),
    # It may be the memory of a server that has just started: the newest state is asked for.
    (_LIST, Outcome.EMPTY): Move(_LIST, Pause.DOUBT, ListAt.NEWEST),
    # The server may not have seen our version yet, or never will again: only it knows what is current.
    (_LIST, Outcome.EXPIRED): Move(_LIST, Pause.SOON, ListAt.NEWEST),
    (_LIST, Outcome.UNAUTHORIZED): Move(_LIST, Pause.RENEWAL),
    (_LIST, Outcome.FORBIDDEN): Move(_LIST, Pause.BACKOFF),
    (_LIST, Outcome.FORBIDDEN_LASTS): Move(_ASK),
    (_LIST, Outcome.FAILED): Move(_LIST, Pause.BACKOFF),
    (_WATCH, Outcome.ENDED): Move(_WATCH, stable=True),
    (_WATCH, Outcome.CUT): Move(_WATCH, Pause.SOON),
    (_WATCH, Outcome.SILENT): Move(_WATCH, stable=True),
    # A version from the future makes silent streams for ever: only a list finds out.
    (_WATCH, Outcome.SILENT_AGAIN): Move(_LIST, Pause.SOON, ListAt.KNOWN),
    (_WATCH, Outcome.EXPIRED): Move(_LIST, Pause.SOON, ListAt.NEWEST),
    (_WATCH, Outcome.UNAUTHORIZED): Move(_WATCH, Pause.RENEWAL),
    (_WATCH, Outcome.FORBIDDEN): Move(_WATCH, Pause.BACKOFF),
    (_WATCH, Outcome.FORBIDDEN_LASTS): Move(_ASK),
    # Refused connections, 429, 5xx: no reason to list. A server that comes back to hundreds of nodes
    # can resume their watches from memory.
    (_WATCH, Outcome.FAILED): Move(_WATCH, Pause.BACKOFF),
    # It is our request that it can't serve, e.g. a version that is none (500).
    (_WATCH, Outcome.FAILED_OFTEN): Move(_LIST, Pause.BACKOFF, ListAt.NEWEST),
    # Asked for because a pod is missed. A list from memory helps where our stream was at fault. Where it
    # brings nothing new, the server's memory may be at fault, so the next one asks for the newest state.
    # Not at once: most pods that are missed do not exist, and a consistent list is dear.
    (_WATCH, Outcome.LIST_ASKED_FOR): Move(_LIST, list_at=ListAt.KNOWN),
    (_WATCH, Outcome.LIST_ASKED_FOR_AGAIN): Move(_LIST, list_at=ListAt.NEWEST),
    (_ASK, Outcome.ASKED): Move(_ASK, Pause.DUE),
    (_ASK, Outcome.LIST_DUE): Move(_LIST, list_at=ListAt.KNOWN),
    (_ASK, Outcome.UNAUTHORIZED): Move(_ASK, Pause.RENEWAL),
    (_ASK, Outcome.FORBIDDEN): Move(_ASK, Pause.BACKOFF),
    (_ASK, Outcome.FORBIDDEN_LASTS): Move(_ASK, Pause.BACKOFF),
    (_ASK, Outcome.EXPIRED): Move(_ASK, Pause.BACKOFF),
    (_ASK, Outcome.FAILED): Move(_ASK, Pause.BACKOFF),
}

FAILURES_UNTIL_LIST = 4
"""After so many refusals of one watch in a row, none of them for load, it is our version that is at fault."""

_FOR_LOAD = (None, 429, 502, 503, 504)


@attrs.define
class Course:
    """Where the watch stands, and the little that it remembers of how it came there."""

    step: Step
    forbidden_seconds: float
    """How long 403 may last before it counts as a missing right."""
    list_at: ListAt = ListAt.ANY
    forbidden_since: dict[Step, float] = attrs.field(factory=dict)
    silences: int = 0
    refusals: int = 0
    fruitless: bool = False
    """Whether the last list that somebody asked for brought nothing new."""

    def after(self, outcome: Outcome, *, now: float, status: int | None = None) -> Move:
        """Take in what came of the step, and go on to the next. `status` is the HTTP status of a failure."""
        move = RULES[self.step, self._seen(outcome, now, status)]
        self.step = move.step
        self.list_at = move.list_at or self.list_at
        return move

    def opened(self) -> None:
        """Note that the watch was granted: so are the rights."""
        self.forbidden_since.clear()

    def heard(self, *, changed: bool) -> None:
        """Note that the watch's stream brought something that could be read."""
        self.silences = self.refusals = 0
        self.fruitless = self.fruitless and not changed

    def listed(self, *, asked_for: bool, changed: bool) -> None:
        """Note what a list brought. After a fruitless one from memory comes one of the newest, and so on."""
        self.fruitless = asked_for and not changed and not self.fruitless

    def forbidden_left(self, now: float) -> float:
        """Return the seconds until a 403 counts as a missing right."""
        since = self.forbidden_since.get(self.step, now)
        return max(self.forbidden_seconds - (now - since), 0.0)

    def _seen(self, outcome: Outcome, now: float, status: int | None) -> Outcome:
        """Tell the first time from the next, and a moment from a lasting state."""
        match outcome:
            case Outcome.FORBIDDEN:
                since = self.forbidden_since.setdefault(self.step, now)
                return Outcome.FORBIDDEN_LASTS if now - since >= self.forbidden_seconds else outcome
            case Outcome.LISTED | Outcome.ASKED | Outcome.LOCATED:
                self.forbidden_since.pop(self.step, None)
            case Outcome.SILENT:
                self.silences = (self.silences + 1) % 2
                return Outcome.SILENT if self.silences else Outcome.SILENT_AGAIN
            case Outcome.FAILED if self.step is Step.WATCH and status not in _FOR_LOAD:
                self.refusals = (self.refusals + 1) % FAILURES_UNTIL_LIST
                return Outcome.FAILED if self.refusals else Outcome.FAILED_OFTEN
            case Outcome.LIST_ASKED_FOR:
                return Outcome.LIST_ASKED_FOR_AGAIN if self.fruitless else outcome
        return outcome
