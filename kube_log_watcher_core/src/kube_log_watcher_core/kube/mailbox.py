"""What other threads ask of the watch thread, and its waiting for that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

PodName = tuple[str, str]
"""Namespace and name."""

Wait = Callable[[threading.Condition, float], object]
"""Waits on a condition for some seconds at most."""


class Mailbox:
    """What any thread may ask for: a fresh list, single pods, the end. The watch thread sleeps on it."""

    def __init__(self, clock: Callable[[], float], wait: Wait) -> None:
        self._clock = clock
        self._wait = wait
        self._condition = threading.Condition()
        self._stopped = False
        self._list_asked_for = False
        self._wanted: frozenset[PodName] | None = None
        self._news = False

    @property
    def stopped(self) -> bool:
        """Whether the thread shall end."""
        return self._stopped

    @property
    def interrupted(self) -> bool:
        """Whether a stream shall end."""
        return self._stopped or self._list_asked_for

    @property
    def wanted(self) -> frozenset[PodName] | None:
        """The pods found on disk; None before anybody looked."""
        return self._wanted

    def stop(self) -> None:
        """Ask the thread to end."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def ask_for_list(self) -> None:
        """Ask for a fresh list."""
        with self._condition:
            self._list_asked_for = self._news = True
            self._condition.notify_all()

    def want(self, pods: Collection[PodName]) -> None:
        """Tell which pods were found on disk."""
        with self._condition:
            wanted = frozenset(pods)
            if wanted != self._wanted:
                self._wanted, self._news = wanted, True
                self._condition.notify_all()

    def take_list_request(self) -> bool:
        """Return whether a fresh list was asked for since the last call."""
        with self._condition:
            asked, self._list_asked_for = self._list_asked_for, False
            return asked

    def take_news(self) -> bool:
        """Return whether anything was asked for since the last call."""
        with self._condition:
            news, self._news = self._news, False
            return news

    def sleep(self, seconds: float, *, slice_seconds: float, early: Callable[[], bool]) -> None:
        """Wait, but no longer than until `early` says so or the thread shall end.

        `early` is asked each time somebody asks for something, and every slice.
        """
        deadline = self._clock() + seconds
        with self._condition:
            while not self._stopped and not early():
                left = deadline - self._clock()
                if left <= 0:
                    return
                self._wait(self._condition, min(left, slice_seconds))
