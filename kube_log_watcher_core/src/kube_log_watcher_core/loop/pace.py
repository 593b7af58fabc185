"""How soon to act on a hint: at once after quiet, ever more rarely in a burst."""

from __future__ import annotations

from kube_log_watcher_core.backoff import Backoff

FIRST_HOLD_SECONDS = 0.004
"""A runtime writes the files of one container within a few milliseconds."""
LONGEST_HOLD_SECONDS = 0.2
QUIET_SECONDS = 0.5


class Pace:
    """Coalesces a burst of hints; each pass looks at everything that came until then."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._hold = 0.0
        self._holds = Backoff(first_seconds=FIRST_HOLD_SECONDS)

    def hold(self, now: float) -> float:
        """Return how many seconds to wait before the next pass."""
        return max(self._last + self._hold - now, 0.0)

    def passed(self, now: float) -> None:
        """Note that a pass has just ended."""
        if now - self._last >= QUIET_SECONDS:
            self._holds.reset()
        self._hold = self._holds.next(LONGEST_HOLD_SECONDS)
        self._last = now
