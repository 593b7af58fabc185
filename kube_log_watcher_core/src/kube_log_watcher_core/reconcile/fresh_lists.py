"""When unknown pods are worth a fresh list of all pods."""

from __future__ import annotations

from collections.abc import Sequence

from kube_log_watcher_core.backoff import Backoff
from kube_log_watcher_core.reconcile.life import Life

FIRST_ASK_SECONDS = 5.0
"""How long a pod may be unknown before the watch is doubted: logs precede their pods by up to 2 s."""
LONGEST_ASK_SECONDS = 600.0
CALM_SECONDS = 120.0
"""So long after the last pod that became overdue, the next one counts as the first."""


class FreshLists:
    """The watcher's budget of fresh lists.

    A silent watch hides new pods, so a pod that stays unknown asks for a list: after 5 s, then ever
    more rarely, for a pod that never shows must not become a poll. All pods have one budget: one list
    shows them all, and whoever lets folders of unknown pods come and go must not make every watcher
    ask the API server as often. After a calm, a new one is not made to wait for what old ones have spent.
    """

    def __init__(self) -> None:
        self._last_newcomer = float("-inf")
        self._next = float("-inf")
        self._pauses = Backoff(first_seconds=2 * FIRST_ASK_SECONDS)

    def due(self, unknown: Sequence[Life], now: float) -> list[Life]:
        """Take the logs whose pods are unknown now; return those that are worth a list now, if any."""
        overdue = [life for life in unknown if now - life.since >= FIRST_ASK_SECONDS]
        if not all(life.is_listed_for for life in overdue):
            if now - self._last_newcomer >= CALM_SECONDS:
                self._next = now
                self._pauses.reset()
            self._last_newcomer = now
        if not overdue or now < self._next:
            return []
        self._next = now + self._pauses.next(LONGEST_ASK_SECONDS)
        return overdue

    def next_deadline(self, unknown: Sequence[Life]) -> float | None:
        """Return when the next list may be due, by the monotonic clock; None when nothing is unknown."""
        if not unknown:
            return None
        new = [life.since for life in unknown if not life.is_listed_for]
        at = min(new, default=float("inf")) + FIRST_ASK_SECONDS
        if at - self._last_newcomer < CALM_SECONDS:
            at = max(at, self._next)
        return at if len(new) == len(unknown) else min(at, self._next)
