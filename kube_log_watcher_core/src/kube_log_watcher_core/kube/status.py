"""How the watch is doing, for health, metrics and people."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import attrs


@attrs.frozen
class WatchStatus:
    """How the watch is doing. All times are those of the clock that the watch was given."""

    state: str
    """``starting``, ``locating``, ``listing``, ``watching``, ``fallback``, ``backing off`` or ``stopped``."""
    since: float
    """When that began."""
    began: float = 0.0
    """When the watch began."""
    synced: bool = False
    """Whether all pods were known at one moment at least."""
    pods: int = 0
    """How many are known."""
    error: str | None = None
    """What went wrong last; None once a watch is open again."""
    last_byte: float | None = None
    """When the API last sent something."""
    last_tick: float = 0.0
    """When the thread last did something. Waiting is doing, reading a quiet stream is not."""
    tick_due: float = 0.0
    """When it will have done something again at the latest, if it is well."""
    requests: Mapping[tuple[str, str], int] = attrs.field(factory=dict)
    """How many by verb (``list``, ``watch``, ``get``) and status (``none``: no answer)."""
    relists: int = 0
    """Lists that replaced the store, after the first."""
    resource_version: str | None = None
    node_name: str | None = None

    @property
    def asking_singly(self) -> bool:
        """Whether pods are asked for one by one, for list or watch is refused: it may be silent for long."""
        return self.state == "fallback"

    @property
    def heard_at(self) -> float:
        """When the API last sent something; when the watch began, if it never has."""
        return self.began if self.last_byte is None else self.last_byte

    def age_seconds(self, now: float) -> float | None:
        """Return how long ago the API last sent something; None if it never has."""
        return None if self.last_byte is None else max(now - self.last_byte, 0.0)


class Ledger:
    """Keeps the status: written by the watch thread, read by any."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str]] = Counter()
        now = clock()
        self._status = WatchStatus("starting", since=now, began=now, last_tick=now, tick_due=now)

    def status(self) -> WatchStatus:
        """Give the status as it is now."""
        with self._lock:
            return attrs.evolve(self._status, requests=dict(self._requests))

    def enter(self, state: str) -> None:
        """Begin a state; the same one goes on."""
        with self._lock:
            if state != self._status.state:
                self._status = attrs.evolve(self._status, state=state, since=self._clock())

    def tick(self, *, within_seconds: float) -> None:
        """Note that the thread lives, and by when it will tell so again."""
        now = self._clock()
        self._set(last_tick=now, tick_due=now + within_seconds)

    def byte(self, *, within_seconds: float) -> None:
        """Note that the API sent something; it will again, or be given up, by then."""
        now = self._clock()
        self._set(last_byte=now, last_tick=now, tick_due=now + within_seconds)

    def fault(self, error: str | None) -> None:
        """Keep what went wrong."""
        self._set(error=error)

    def place(self, *, version: str | None, node_name: str | None) -> None:
        """Keep where the watch stands."""
        self._set(resource_version=version, node_name=node_name)

    def listed(self, *, first: bool) -> None:
        """Count a list."""
        with self._lock:
            self._status = attrs.evolve(self._status, relists=self._status.relists + (0 if first else 1))

    def count(self, verb: str, code: str) -> None:
        """Count a request."""
        with self._lock:
            self._requests[verb, code] += 1

    def _set(self, **fields: Any) -> None:
        with self._lock:
            self._status = attrs.evolve(self._status, **fields)
