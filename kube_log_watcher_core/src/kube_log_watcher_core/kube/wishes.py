"""What other threads want of the watch thread, and its waiting for that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

PodName = tuple[str, str]
"""Namespace and name."""


class Wishes:
    """Flags that any thread may raise; the watch thread looks at them and sleeps on them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._stopped = False
        self._refresh = False
        self._wanted: frozenset[PodName] | None = None
        self._news = False

    @property
    def stopped(self) -> bool:
        """Whether the thread shall end."""
        return self._stopped

    @property
    def interrupted(self) -> bool:
        """Whether a stream shall end."""
        return self._stopped or self._refresh

    @property
    def wanted(self) -> frozenset[PodName] | None:
        """The pods found on disk; None before anybody looked."""
        return self._wanted

    def stop(self) -> None:
        """Ask the thread to end."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def refresh(self) -> None:
        """Ask for a fresh list."""
        with self._condition:
            self._refresh = self._news = True
            self._condition.notify_all()

    def want(self, pods: Collection[PodName]) -> None:
        """Tell which pods were found on disk."""
        with self._condition:
            wanted = frozenset(pods)
            if wanted != self._wanted:
                self._wanted, self._news = wanted, True
                self._condition.notify_all()

    def take_refresh(self) -> bool:
        """Tell whether a fresh list is asked for, and see to it from here on."""
        with self._condition:
            asked, self._refresh = self._refresh, False
            return asked

    def take_news(self) -> bool:
        """Tell whether there are new wishes since the last call."""
        with self._condition:
            news, self._news = self._news, False
            return news

    def sleep(self, seconds: float, *, slice_seconds: float, early: Callable[[], bool]) -> None:
        """Wait, but no longer than until `early` says so or the thread shall end.

        `early` is asked each time somebody wishes something, and every slice.
        """
        deadline = self._clock() + seconds
        with self._condition:
            while not self._stopped and not early():
                left = deadline - self._clock()
                if left <= 0:
                    return
                self._condition.wait(min(left, slice_seconds))
