"""Waiting longer after each failure."""

from __future__ import annotations

from collections.abc import Callable


def without_chance() -> float:
    """Return what leaves every wait as it is: whoever waits here has nobody to get out of step with."""
    return 1.0


class Backoff:
    """Waits that double up to a limit; each is cut by up to its half, so that nodes don't act in step."""

    def __init__(self, *, first_seconds: float, random: Callable[[], float] = without_chance) -> None:
        self._first = first_seconds
        self._random = random
        self._failures = 0

    def next(self, limit_seconds: float) -> float:
        """Count a failure and give the seconds to wait for it."""
        full = min(self._first * 2.0 ** min(self._failures, 30), limit_seconds)
        self._failures += 1
        return full * (0.5 + 0.5 * self._random())

    def soon(self, limit_seconds: float) -> float:
        """Count a failure of which the first costs nothing."""
        self._failures += 1
        if self._failures == 1:
            return 0.0
        self._failures -= 1
        return self.next(limit_seconds)

    def reset(self) -> None:
        """Forget the failures: something worked."""
        self._failures = 0
