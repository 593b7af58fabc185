"""Holds back changes while a shipper may be reading a log that is gone."""

from __future__ import annotations

from collections.abc import Callable

from kube_log_watcher_core.reconcile import NotNow

LOOK_SECONDS = 1.0
"""How soon to look again whether the log was read meanwhile."""
LONGEST_SECONDS = 30.0
"""Where one log goes after the other, changes must not wait for ever: new logs matter as well."""


class Hold:
    """Postpones changes, each for a bounded time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: float | None = None

    def check(self, *, wanted: bool) -> None:
        """Begin or end a hold.

        Raises
        ------
        NotNow
            while it lasts.
        """
        if not wanted:
            self._since = None
            return
        now = self._clock()
        if self._since is None:
            self._since = now
        if now - self._since < LONGEST_SECONDS:
            raise NotNow(LOOK_SECONDS)
        self._since = None
