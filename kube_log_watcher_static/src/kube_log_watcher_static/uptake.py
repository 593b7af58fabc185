"""Which logs a shipper may see: those of which it has taken up what was written."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection

MOST_AWAITED = 32
"""Generations that are remembered while the shipper has not said that it has taken one up."""


class Uptake:
    """Remembers what was written last, and what of it the shipper has taken up.

    It does so by its own word (`confirm`), where it gives one, or by the time that it needs for it.

    Parameters
    ----------
    clock
        a clock that nobody sets, in seconds.
    seconds
        how long it takes at most until the shipper has looked at what was written; None where only its own
        word counts.
    """

    def __init__(self, *, clock: Callable[[], float], seconds: float | None = None) -> None:
        self._clock = clock
        self._seconds = seconds
        self._since: dict[str, float] = {}
        """Since when something about a container has been there without a break."""
        self._known: frozenset[str] = frozenset()
        self._awaited: dict[str, tuple[float, frozenset[str]]] = {}
        """By generation, the oldest first: when it was written, and about which containers."""
        self.generation = ""
        """Names what was written last, by its content: also the next life of the process knows it."""
        self._is_taken_up = False
        """Whether the shipper has said so of that."""
        self.confirmed = ""
        """The generation that was taken up last, by the shipper's own word."""

    def wrote(self, ids: Collection[str], content: bytes = b"") -> None:
        """Note what is on disk now, and about which containers; by time alone, whatever it is.

        Leave out those of which it says that nothing is to be shipped.
        """
        now = self._clock()
        generation = generation_of(content)
        # Of the same content that comes again after another, nothing was said yet.
        self._is_taken_up = self._is_taken_up and generation == self.generation
        self.generation = generation
        self._since = {each: self._since.get(each, now) for each in ids}
        self._known &= self._since.keys()  # what comes back has to be taken up anew
        if not self._is_taken_up:
            self._awaited.pop(generation, None)
            self._awaited[generation] = now, frozenset(self._since)
            if len(self._awaited) > MOST_AWAITED:
                del self._awaited[next(iter(self._awaited))]

    def confirm(self, generation: str) -> None:
        """Note what the shipper says that it has taken up, be it an older generation than the latest.

        That one says something of what has been written ever since: else logs would wait for ever where
        something else changes before each answer.
        """
        if generation not in self._awaited:
            return
        at, ids = self._awaited[generation]
        self._known |= {each for each in ids if self._since.get(each, math.inf) <= at}
        self.confirmed, self._is_taken_up = generation, generation == self.generation
        generations = list(self._awaited)
        for older in generations[: generations.index(generation) + 1]:
            del self._awaited[older]

    def seconds_left(self) -> float | None:
        """Return when to look again; None when all is taken up, 0 while the shipper has to say so.

        By time it is in how many seconds the next container's turn comes. Others that are written meanwhile
        don't make it wait longer: whenever the shipper looks, it finds what has been there before.
        """
        if self._seconds is None:
            return None if self._is_taken_up else 0.0
        now = self._clock()
        left = (since + self._seconds - now for since in self._since.values())
        return min((each for each in left if each > 0), default=None)

    def has(self, container_id: str) -> bool:
        """Whether the shipper has taken up something about a container, be it not the latest."""
        since = self._since.get(container_id)
        if since is None or self._seconds is None:
            return since is not None and container_id in self._known
        return self._clock() - since >= self._seconds

    def written_for(self, container_id: str) -> float:
        """Return for how many seconds something about a container has been there without a break."""
        now = self._clock()
        return now - self._since.get(container_id, now)


def generation_of(content: bytes) -> str:
    """Return a name for a content, in 16 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:16]
