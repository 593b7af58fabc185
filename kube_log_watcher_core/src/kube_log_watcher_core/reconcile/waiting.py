"""Containers that wait for something, and when to do what about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kube_log_watcher_core.backoff import Backoff

FIRST_ASK_SECONDS = 5.0
"""How long a pod may be unknown before the watch is doubted: logs precede their pods by up to 2 s."""
LONGEST_ASK_SECONDS = 600.0
CALM_SECONDS = 120.0
"""So long after the last pod that became overdue, the next one counts as the first."""


class Waiting:
    """Since when each of some keys has been waiting."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def update(self, keys: Iterable[str], now: float) -> None:
        """Take the keys that wait now; those that no longer do are forgotten."""
        self._since = {key: self._since.get(key, now) for key in keys}

    def over(self, limit_seconds: float, now: float) -> frozenset[str]:
        """Give the keys that have waited long enough."""
        return frozenset(key for key, since in self._since.items() if now - since >= limit_seconds)

    def next_deadline(self, limit_seconds: float, now: float) -> float | None:
        """Tell when the next key will have waited long enough."""
        ends = (since + limit_seconds for since in self._since.values())
        return min((end for end in ends if end > now), default=None)


class FreshLists:
    """Decides when unknown pods are worth a fresh list of all pods.

    A silent watch hides new pods, so a pod that stays unknown asks for a list: after 5 s, then ever
    more rarely, for a pod that never shows must not become a poll. All pods have one budget: one list
    shows them all, and whoever lets folders of unknown pods come and go must not make every watcher
    ask the API server as often. After a calm, a new one is not made to wait for what old ones have spent.
    """

    def __init__(self) -> None:
        self._unknown: dict[str, float] = {}
        self._asked_for: set[str] = set()
        self._last_newcomer = float("-inf")
        self._next = float("-inf")
        self._pauses = Backoff(first_seconds=2 * FIRST_ASK_SECONDS)

    def due(self, keys: Collection[str], now: float) -> bool:
        """Take the containers whose pods are unknown now, and tell whether to list again."""
        self._unknown = {key: self._unknown.get(key, now) for key in keys}
        self._asked_for &= self._unknown.keys()
        overdue = {key for key, since in self._unknown.items() if now - since >= FIRST_ASK_SECONDS}
        if overdue - self._asked_for:
            if now - self._last_newcomer >= CALM_SECONDS:
                self._next = now
                self._pauses.reset()
            self._last_newcomer = now
        if not overdue or now < self._next:
            return False
        self._asked_for = overdue
        self._next = now + self._pauses.next(LONGEST_ASK_SECONDS)
        return True

    def next_deadline(self) -> float | None:
        """Tell when the next list may be due."""
        new = [since for key, since in self._unknown.items() if key not in self._asked_for]
        at = min(new, default=float("inf")) + FIRST_ASK_SECONDS
        if at - self._last_newcomer < CALM_SECONDS:
            at = max(at, self._next)
        if self._asked_for:
            at = min(at, self._next)
        return at if self._unknown else None
