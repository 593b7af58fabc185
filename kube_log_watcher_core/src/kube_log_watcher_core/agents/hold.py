"""Holds back changes while a shipper may be reading a log that is gone."""

from __future__ import annotations

from collections.abc import Callable

from kube_log_watcher_core.agents.worker import NotNow

LOOK_SECONDS = 1.0
"""How soon to look again whether the log was read meanwhile."""


class Hold:
    """Postpones changes, each for a bounded time.

    Where one log goes after the other, changes must not wait for ever: a new log that is rotated
    before it is configured loses its beginning.
    """

    def __init__(self, clock: Callable[[], float], *, longest_seconds: float) -> None:
        self._clock = clock
        self._longest = longest_seconds
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
        if now - self._since < self._longest:
            raise NotNow(LOOK_SECONDS)
        self._since = None
