"""Which logs a shipper may see: those of which it has taken up what was written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection


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
        self._written: frozenset[str] = frozenset()
        self._since = 0.0
        self._known: frozenset[str] = frozenset()
        self.generation = ""
        """Names what was written last, by its content: also the next life of the process knows it."""
        self.confirmed = ""
        """The generation that was taken up last."""

    def wrote(self, ids: Collection[str], content: bytes) -> None:
        """Note what is on disk now: what of it is about which containers."""
        generation = generation_of(content)
        if generation != self.generation:
            self.generation = generation
            self._since = self._clock()
        self._written = frozenset(ids)

    def confirm(self, generation: str) -> None:
        """Note what the shipper says that it has taken up; an older generation says nothing."""
        if generation and generation == self.generation:
            self.confirmed = generation
            self._known = self._written

    def seconds_left(self) -> float | None:
        """Return how long the shipper may need yet; None when all is taken up, 0 while it has to say so."""
        if self.confirmed == self.generation:
            return None
        if self._seconds is None:
            return 0.0
        left = self._since + self._seconds - self._clock()
        if left <= 0:
            self.confirm(self.generation)
            return None
        return left

    def has(self, container_id: str) -> bool:
        """Whether the shipper has taken up something about a container, be it not the latest.

        What is no longer written stays known until the next generation is taken up: nobody asks for it.
        """
        return container_id in self._known and container_id in self._written


def generation_of(content: bytes) -> str:
    """Return a name for a content, in 16 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:16]
