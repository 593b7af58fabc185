"""The drain: how long a log that is gone from the disk stays in a shipper's configuration.

A shipper goes on reading a deleted file that it has open, but only as long as the file is configured: an
entry removed too early loses the rest of the log. So a gone log is handed to every agent until all of them
have let go of it, or for the longest time. The pure rules come first; below them is what one agent does by
them, in its own thread.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.models import Departed, LogFile, LogTarget, Progress
from kube_log_watcher_core.reconcile.accounts import Accounts
from kube_log_watcher_core.reconcile.changelog import fields_of, name_of

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often agents are asked how far their shippers have read while something drains."""


@attrs.frozen
class DrainRules:
    """How long to wait."""

    seconds: float = 300.0
    """Without evidence. 0: there is no drain at all, evidence or not."""
    max_seconds: float = 900.0
    """Where evidence says that the shipper is still reading."""


@attrs.frozen
class Evidence:
    """What a shipper said of one log, the last two times that differ."""

    latest: Progress | None = None
    earlier: Progress | None = None

    def with_new(self, progress: Progress | None) -> Evidence:
        """Take in what the shipper says now."""
        if progress is None or (self.latest is not None and progress.at <= self.latest.at):
            return self
        return Evidence(latest=progress, earlier=self.latest)

    def bytes_left(self, departed: Departed) -> int | None:
        """Count the bytes that are known to be unread; None when that isn't known."""
        if self.latest is None or departed.size is None:
            return None
        return max(departed.size - self.latest.read_bytes, 0)


class Verdict(enum.Enum):
    """What becomes of a log that is gone."""

    WAIT = "the shipper may still be reading"
    DONE = "all of it was read, or waited for"
    GIVEN_UP = "the shipper did not finish in time"


def judge(departed: Departed, evidence: Evidence, rules: DrainRules, now: float) -> Verdict:
    """Decide by what the shipper said; ``now`` by the monotonic clock."""
    age, progress = now - departed.began, evidence.latest
    if rules.seconds == 0:
        return Verdict.DONE
    if progress is not None and _has_read_all(departed, progress, evidence.earlier):
        return Verdict.DONE
    if progress is not None and (
        progress.pending or (departed.size is not None and progress.read_bytes < departed.size)
    ):
        return Verdict.WAIT if age < max(rules.max_seconds, rules.seconds) else Verdict.GIVEN_UP
    # Nothing tells of something unread, and nothing may ever: a shipper that reloads when the file is gone
    # has no more to say of it.
    return Verdict.WAIT if age < rules.seconds else Verdict.DONE


def says_all_is_read(departed: Departed, evidence: Evidence) -> bool:
    """Whether the shipper said itself that it has read a log to its end."""
    return evidence.latest is not None and _has_read_all(departed, evidence.latest, evidence.earlier)


def _has_read_all(departed: Departed, progress: Progress, earlier: Progress | None) -> bool:
    """Whether the shipper said twice, both times since the log is gone, that it has read all.

    The size was seen some time before the end, so having reached it proves little: more may have
    been written since. A reader that has stopped there has met the end; one that has let go of the
    file says so itself. These times are the shipper's, by the wall clock.
    """
    if progress.closed:
        if departed.size is None:
            return progress.at >= departed.since
        return progress.read_bytes >= departed.size
    if departed.size is None or earlier is None or progress.pending:
        return False
    both_later = departed.since <= earlier.at < progress.at
    return both_later and earlier.read_bytes == progress.read_bytes >= departed.size


def ends_unasked(departed: Departed, rules: DrainRules, now: float) -> bool:
    """Whether a drain is over whatever agents say; ``now`` by the monotonic clock."""
    longest = max(rules.seconds, rules.max_seconds) + 2 * LOOK_SECONDS
    return rules.seconds <= 0 or now - departed.began >= longest


def next_look(departed: Iterable[Departed], rules: DrainRules, now: float) -> float | None:
    """Return when to ask agents again, by the monotonic clock; None when nothing drains."""
    ends = [each.began + rules.seconds for each in departed]
    return min([now + LOOK_SECONDS, *(end for end in ends if end > now)]) if ends else None


# ---------------------------------------------------------------------- one agent's side


@attrs.frozen(kw_only=True)
class DrainTally:
    """The gone logs that one agent goes on being handed, and those that it has let go of."""

    draining: int = 0
    bytes_left: int = 0
    """What is known to be unread of those that drain."""
    read: int = 0
    """Ended well: read to the end, or waited for as long as the settings ask."""
    given_up: int = 0
    """Ended with evidence that the shipper had not finished."""
    bytes_lost: int = 0
    """What was known to be unread of those that were given up."""


@attrs.frozen
class _Drain:
    """How far one agent is with one gone log."""

    departed: Departed
    evidence: Evidence = Evidence()
    verdict: Verdict = Verdict.WAIT
    is_released: bool = False
    """Whether the agent is no longer handed it."""


class AgentDrain:
    """Asks one agent how far its shipper has read, and lets go of what is read or waited for.

    It is called in the agent's own thread; `finished` and `tally` may be read from any. ``on_end`` is told of
    each end.
    """

    def __init__(
        self,
        name: str,
        agent: BaseAgent[Any],
        *,
        clock: Callable[[], float],
        on_end: Callable[[Departed, Verdict, Evidence], None] = lambda *_: None,
    ) -> None:
        self._name = name
        self._on_end = on_end
        self._agent = agent
        self._clock = clock
        self._drains: dict[tuple[str, float], _Drain] = {}
        self._accounts = Accounts(name, agent)
        self.finished: frozenset[tuple[str, float]] = frozenset()
        """The drains that this agent has let go of, as `Departed.drain` names them."""
        self.is_any_fresh = False
        """Whether a log went so lately that its shipper may be in the middle of it.

        Any change of its configuration can make such a shipper close all files and open them again,
        which it can't with one that is gone.
        """
        self.tally = DrainTally()
        """How many there are and were, and what is left of them."""

    def still_to_read(self, departed: Iterable[Departed], rules: DrainRules) -> list[LogTarget]:
        """Return the gone logs that must stay configured."""
        now = self._clock()
        drains = {}
        for each in departed:
            drain = attrs.evolve(self._drains.get(each.drain) or _Drain(each), departed=each)
            drains[each.drain] = self._judged(drain, rules, now) if drain.verdict is Verdict.WAIT else drain
        waiting = [it for it in drains.values() if it.verdict is Verdict.WAIT]
        fresh_seconds = min(self._agent.pacing.hold_seconds, rules.seconds)
        self.is_any_fresh = any(now - it.departed.began < fresh_seconds for it in waiting)
        if not self.is_any_fresh:
            # What is released is taken out of the configuration, which is a change like any other.
            drains = {
                name: attrs.evolve(it, is_released=it.verdict is not Verdict.WAIT)
                for name, it in drains.items()
            }
        self._drains = drains
        self.finished = frozenset(name for name, it in self._drains.items() if it.is_released)
        left = sum(it.evidence.bytes_left(it.departed) or 0 for it in waiting)
        self.tally = attrs.evolve(self.tally, draining=len(waiting), bytes_left=left)
        return [it.departed.target for it in self._drains.values() if not it.is_released]

    def _judged(self, drain: _Drain, rules: DrainRules, now: float) -> _Drain:
        """Ask the agent about a log that it may let go of, and count and report its end."""
        departed, target = drain.departed, drain.departed.target
        evidence = drain.evidence.with_new(self._accounts.of(target, LogFile(target.log_path)))
        verdict, left = judge(departed, evidence, rules, now), evidence.bytes_left(departed)
        if verdict is not Verdict.WAIT:
            self._on_end(departed, verdict, evidence)
        tally = self.tally
        if verdict is Verdict.DONE:
            self.tally = attrs.evolve(tally, read=tally.read + 1)
        elif verdict is Verdict.GIVEN_UP:
            lost = tally.bytes_lost + (left or 0)
            self.tally = attrs.evolve(tally, given_up=tally.given_up + 1, bytes_lost=lost)
            logger.warning(
                "agent %s: the shipper did not finish the gone log of %s within %.0f s: %s bytes are left",
                self._name,
                name_of(target.container),
                now - departed.began,
                "unknown" if left is None else left,
                extra={**fields_of("drain-given-up", target.container), "agent": self._name},
            )
        return attrs.evolve(drain, evidence=evidence, verdict=verdict)
