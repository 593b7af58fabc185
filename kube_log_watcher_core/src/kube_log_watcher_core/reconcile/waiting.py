"""Containers that wait for something, and when to do what about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

FIRST_ASK_SECONDS = 5.0
"""How long a pod may be unknown before the watch is doubted: logs precede their pods by up to 2 s."""
LONGEST_ASK_SECONDS = 600.0


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


class PodsNotSeen:
    """Decides when an unknown pod is worth a fresh list of pods.

    A silent watch hides new pods, so a pod that stays unknown asks for a list: after 5 s, then
    ever more rarely, for a pod that never shows must not become a poll.
    """

    def __init__(self) -> None:
        self._next: dict[str, tuple[float, float]] = {}

    def due(self, keys: Collection[str], now: float) -> bool:
        """Take the containers whose pods are unknown now, and tell whether to list again."""
        first = (now + FIRST_ASK_SECONDS, FIRST_ASK_SECONDS)
        self._next = {key: self._next.get(key, first) for key in keys}
        asking = [key for key, (at, _) in self._next.items() if at <= now]
        for key in asking:
            wait = min(self._next[key][1] * 2, LONGEST_ASK_SECONDS)
            self._next[key] = (now + wait, wait)
        return bool(asking)

    def next_deadline(self) -> float | None:
        """Tell when the next list may be due."""
        return min((at for at, _ in self._next.values()), default=None)
