"""How the watch is doing: kept for health, metrics and people, and told to the log."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from kube_log_watcher_core.errors import ApiError, Forbidden
from kube_log_watcher_core.kube.answers import Silence

logger = logging.getLogger(__name__)

HTTP_OK = 200


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


class WatchStats:
    """Keeps the status: written by the watch thread, read by any."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str]] = Counter()
        now = clock()
        self._status = WatchStatus("starting", since=now, began=now, last_tick=now, tick_due=now)

    def status(self) -> WatchStatus:
        """Return the status as it is now."""
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


class Reporter:
    """Tells the log and the status of faults. A fault that goes on is not repeated."""

    def __init__(self, stats: WatchStats, clock: Callable[[], float]) -> None:
        self._stats = stats
        self._clock = clock
        self._since: float | None = None
        self._last: tuple[type[ApiError], int | None] | None = None
        self._told: set[tuple[type[ApiError], int | None]] = set()
        self._missing: dict[str, str] = {}

    def failed(self, error: ApiError) -> None:
        """Take in a fault; one of a class, or with an HTTP status, that is new is logged."""
        self._stats.fault(str(error))
        if isinstance(error, Forbidden):  # that is said when it lasts
            return
        self._last = type(error), error.status
        if self._last in self._told:
            return
        self._told.add(self._last)
        self._since = self._clock() if self._since is None else self._since
        logger.warning(
            "The Kubernetes API can't be used for now, trying again: %s", error, extra={"event": "api-lost"}
        )

    def answers(self) -> None:
        """Take in that a stream was opened. That is no end of a fault which shows inside of streams."""
        if self._last is None or not (self._last[0] is Silence or self._last[1] == HTTP_OK):
            self.works()

    def works(self) -> None:
        """Take in that something useful came; the end of a fault is logged."""
        self._stats.fault(next(iter(self._missing.values()), None))
        if self._since is not None:
            seconds = self._clock() - self._since
            logger.info(
                "The Kubernetes API can be used again after %.1f s", seconds, extra={"event": "api-back"}
            )
        self._since = self._last = None
        self._told.clear()

    def rights_lacking(self, verb: str, error: ApiError | None) -> None:
        """Say, once for each verb, which right is missing and what that means."""
        if verb not in self._missing:
            logger.error(
                "The service account may not %s pods at cluster scope; it needs list and watch.%s "
                "The API says: %s",
                verb,
                "" if verb == "get" else " Until then the pods found on disk are asked for one by one.",
                error,
                extra={"event": "api-right-missing"},
            )
        self._missing[verb] = f"may not {verb} pods at cluster scope"
        self._stats.fault(self._missing[verb])

    def right_used(self, verb: str) -> None:
        """Take in that a verb is allowed."""
        self._missing.pop(verb, None)

    def rights_granted(self) -> None:
        """Say that nothing is missing any more."""
        if self._missing:
            logger.info("The service account may list and watch pods now")
            self._missing.clear()
