"""Which of the logs that are gone one agent goes on being handed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.models import Departed, LogTarget, Progress
from kube_log_watcher_core.reconcile import Accounts, DrainRules, Verdict, bytes_left, judge
from kube_log_watcher_core.reconcile.decisions import fields_of

logger = logging.getLogger(__name__)


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


class AgentDrain:
    """Asks one agent how far its shipper has read, and lets go of what is read or waited for.

    It is called in the agent's own thread; `finished` may be read from any.
    """

    def __init__(self, name: str, agent: BaseAgent[Any], *, wall: Callable[[], float]) -> None:
        self._name = name
        self._agent = agent
        self._wall = wall
        self._accounts: dict[str, Accounts] = {}
        self._over: set[str] = set()
        self._blind = False
        self.finished: frozenset[str] = frozenset()
        """Keys of the containers that this agent has let go of."""
        self.is_any_fresh = False
        """Whether a log went so lately that its shipper may be in the middle of it.

        Any change of its configuration can make such a shipper close all files and open them again,
        which it can't with one that is gone.
        """
        self.tally = DrainTally()
        """How many there are and were, and what is left of them."""

    def still_to_read(self, departed: Iterable[Departed], rules: DrainRules) -> list[LogTarget]:
        """Give the gone logs that must stay configured."""
        gone = {each.target.container.key: each for each in departed}
        over = self._over & gone.keys()
        over |= {key for key, each in gone.items() if key not in over and self._is_over(each, rules)}
        unread = gone.keys() - over
        self._accounts = {key: account for key, account in self._accounts.items() if key in unread}
        self._over = over
        waiting = [gone[key] for key in unread]
        fresh_seconds = min(self._agent.pacing.hold_seconds, rules.seconds)
        self.is_any_fresh = any(self._wall() - each.since < fresh_seconds for each in waiting)
        # What is released is taken out of the configuration, which is a change like any other.
        self.finished = frozenset(self.finished & gone.keys() if self.is_any_fresh else over)
        left = [bytes_left(each, self._latest(each)) or 0 for each in waiting]
        self.tally = attrs.evolve(self.tally, draining=len(waiting), bytes_left=sum(left))
        return [each.target for key, each in gone.items() if key not in self.finished]

    def _is_over(self, departed: Departed, rules: DrainRules) -> bool:
        target = departed.target
        accounts = self._accounts.get(target.container.key, Accounts())
        accounts = accounts.with_new(self._account_of(target))
        self._accounts[target.container.key] = accounts
        verdict = judge(departed, accounts.latest, accounts.earlier, rules, now=self._wall())
        if verdict is Verdict.GIVEN_UP:
            self._report(departed, accounts.latest)
        self._count(verdict, bytes_left(departed, accounts.latest))
        return verdict is not Verdict.WAIT

    def _latest(self, departed: Departed) -> Progress | None:
        return self._accounts[departed.target.container.key].latest

    def _count(self, verdict: Verdict, left: int | None) -> None:
        tally = self.tally
        if verdict is Verdict.DONE:
            self.tally = attrs.evolve(tally, read=tally.read + 1)
        elif verdict is Verdict.GIVEN_UP:
            lost = tally.bytes_lost + (left or 0)
            self.tally = attrs.evolve(tally, given_up=tally.given_up + 1, bytes_lost=lost)

    def _account_of(self, target: LogTarget) -> Progress | None:
        """Ask the agent; an answer that fails is no evidence, and no reason to stop its syncs."""
        try:
            progress = self._agent.read_up_to(target)
        except Exception as error:  # noqa: BLE001 - an agent may raise anything
            if not self._blind:
                logger.warning("agent %s can't tell how far its shipper has read: %r", self._name, error)
            self._blind = True
            return None
        self._blind = False
        return progress

    def _report(self, departed: Departed, progress: Progress | None) -> None:
        target, left = departed.target, bytes_left(departed, progress)
        logger.warning(
            "agent %s: the shipper did not finish the gone log of %s/%s/%s within %.0f s: %s bytes are left",
            self._name,
            target.namespace,
            target.pod_name,
            target.container_name,
            self._wall() - departed.since,
            "unknown" if left is None else left,
            extra={**fields_of("drain-given-up", target.container), "agent": self._name},
        )
