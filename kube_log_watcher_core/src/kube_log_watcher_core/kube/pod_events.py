"""Events on pods: what can't be done of a pod's wishes, told where its author looks (``kubectl describe``).

Whoever has something to tell says what stands now; what is new becomes an Event, and what goes on a series.
They are sent by a thread of their own, few at a time, in nobody's way: one that can't be sent is told later.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs

from kube_log_watcher_core.backoff import Backoff
from kube_log_watcher_core.errors import ApiError, Forbidden, ServerError, TooManyRequests, Unauthorized
from kube_log_watcher_core.kube.access import ApiAccess
from kube_log_watcher_core.kube.timing import Timing

if TYPE_CHECKING:
    from kube_log_watcher_core.kube.session import ApiSession

logger = logging.getLogger(__name__)

CONTROLLER = "kube-log-watcher"
LONGEST_NOTE = 1024
"""Bytes of a note that the API server takes."""
MOST_STANDING = 500
"""Complaints of one source that are told at the most."""
MOST_REMEMBERED = 2000
"""Events that are remembered as sent."""
REPEAT_SECONDS = 1800.0
"""How soon one that still stands is told again: the API server forgets an Event after an hour."""
PAUSE_SECONDS = 0.2
"""Between two requests, so that many complaints at once are no burst for the API server."""
POD_EVENTS, POD_SECONDS = 10, 600.0
"""So many new Events a pod may cause in that time: its author writes what they are about."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 300.0
"""After a failure; doubles."""
FORBIDDEN_SECONDS = 600.0
"""After a refusal for want of the right."""

_TIMING = Timing(answer_seconds=10.0, list_seconds=15.0)
_OF_THE_MOMENT = (Unauthorized, TooManyRequests)


@attrs.frozen
class Complaint:
    """Something that a pod's author should know. Two that are equal are one Event."""

    namespace: str
    pod: str
    uid: str
    container: str
    reason: str
    """One word for machines: ``LogHeld`` or ``AnnotationIgnored``."""
    note: str
    """For a person."""

    @property
    def name(self) -> str:
        """The Event's name: the same in each life of the watcher, so that a restart tells nothing twice."""
        about = json.dumps([self.uid, self.container, self.reason, self.note])
        return f"{self.pod[:200].rstrip('-.')}.{hashlib.sha256(about.encode()).hexdigest()[:16]}"


@attrs.frozen
class Told:
    """What is known of an Event that was sent."""

    count: int
    """How often; 0 for one that the API server does not take."""
    at: float
    """When it was sent last."""


def event_object(complaint: Complaint, *, node: str, now: float) -> Mapping[str, Any]:
    """Return the Event, as ``events.k8s.io/v1`` has it; ``now`` in epoch seconds."""
    note = complaint.note.encode()[:LONGEST_NOTE].decode(errors="ignore")
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": complaint.name, "namespace": complaint.namespace},
        "eventTime": _micro_time(now),
        "type": "Warning",
        "reason": complaint.reason,
        "action": "Follow",
        "note": note,
        "reportingController": CONTROLLER,
        "reportingInstance": f"{CONTROLLER}-{node}"[:128],
        "regarding": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": complaint.namespace,
            "name": complaint.pod,
            "uid": complaint.uid,
            "fieldPath": f"spec.containers{{{complaint.container}}}",
        },
    }


def series(count: int, *, now: float) -> Mapping[str, Any]:
    """Return the change of an Event that has come again."""
    return {"series": {"count": count, "lastObservedTime": _micro_time(now)}}


def _micro_time(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Standing:
    """Which complaint is to be sent next, and when. Knows no clock."""

    def __init__(self) -> None:
        self._standing: dict[str, tuple[Complaint, ...]] = {}
        self._told: dict[Complaint, Told] = {}
        self._new: dict[str, deque[float]] = {}
        """When a pod's new Events were sent, by its uid."""

    def stand(self, source: str, complaints: Iterable[Complaint]) -> None:
        """Take all that one source complains of now."""
        self._standing[source] = tuple(dict.fromkeys(complaints))[:MOST_STANDING]

    def next(self, now: float) -> tuple[float, Complaint] | None:
        """Return what is to be sent next, and when that is due; None where nothing stands."""
        due = (
            (self._due(each, now), each)
            for each in dict.fromkeys(it for found in self._standing.values() for it in found)
        )
        return min(due, key=lambda item: item[0], default=None)

    def told(self, complaint: Complaint) -> Told | None:
        """Return what is known of its Event."""
        return self._told.get(complaint)

    def note(self, complaint: Complaint, count: int, now: float) -> None:
        """Note that it was sent, for the so-and-so-many-th time; 0: it can't be."""
        if complaint not in self._told:
            self._new.setdefault(complaint.uid, deque(maxlen=POD_EVENTS)).append(now)
        self._told.pop(complaint, None)
        self._told[complaint] = Told(count, now)
        while len(self._told) > MOST_REMEMBERED:
            self._told.pop(next(iter(self._told)))
        for uid in [uid for uid, times in self._new.items() if now - times[-1] >= POD_SECONDS]:
            del self._new[uid]

    def _due(self, complaint: Complaint, now: float) -> float:
        told = self._told.get(complaint)
        if told is not None:
            return told.at + REPEAT_SECONDS
        times = self._new.get(complaint.uid)
        return now if times is None or len(times) < POD_EVENTS else times[0] + POD_SECONDS


class PodEvents:
    """Sends Events about what stands. Its methods may be called from any thread, and return at once."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        wait: Callable[[threading.Condition, float | None], object] = threading.Condition.wait,
        timing: Timing = _TIMING,
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._wait = wait
        self._timing = timing
        self._condition = threading.Condition()
        self._complaints = Standing()
        self._access: ApiAccess | None = None
        self._node = "unknown"
        self._is_stopped = False
        self._thread: threading.Thread | None = None
        self._backoff = Backoff(first_seconds=FIRST_WAIT_SECONDS)
        self._is_forbidden = False
        self.counts: Counter[str] = Counter()
        """How many were ``sent`` and how many ``failed``."""

    @property
    def is_on(self) -> bool:
        """Whether anybody is told."""
        return self._access is not None

    def use(self, access: ApiAccess | None, *, node: str = "unknown") -> None:
        """Send to this API server from now on; None: to none."""
        with self._condition:
            if (access, node) == (self._access, self._node):
                return
            self._access, self._node = access, node
            if access is not None and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pod-events", daemon=True)
                self._thread.start()
            self._condition.notify_all()

    def stand(self, source: str, complaints: Iterable[Complaint]) -> None:
        """Take all that an agent, or the watcher itself, complains of now."""
        with self._condition:
            self._complaints.stand(source, complaints)
            self._condition.notify_all()

    def stop(self) -> None:
        """Send no more. A request that is under way is left to its own end."""
        with self._condition:
            self._is_stopped = True
            self._condition.notify_all()

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        not_before, session, access = 0.0, None, None
        while True:
            with self._condition:
                while not self._is_stopped and (seconds := self._seconds_to_wait(not_before)) != 0.0:
                    self._wait(self._condition, seconds)
                if self._is_stopped:
                    break
                found = self._complaints.next(self._clock())
                if found is None or self._access is None:
                    continue
                if session is None or self._access is not access:
                    access = self._access
                    session = self._session(access)
            not_before = self._clock() + self._try(session, found[1])
        if session is not None:
            session.close()

    def _seconds_to_wait(self, not_before: float) -> float | None:
        """Return how long nothing is to be done: 0 when something is, None while nothing stands."""
        now = self._clock()
        found = self._complaints.next(now)
        if found is None or self._access is None:
            return None
        return max(found[0] - now, not_before - now, 0.0)

    def _session(self, access: ApiAccess) -> ApiSession:
        from kube_log_watcher_core.kube.session import ApiSession  # noqa: PLC0415 - off by default

        return ApiSession(
            # A request's own time is that of the network, whatever clock the waits go by.
            access,
            timing=self._timing,
            clock=time.monotonic,
            count=lambda *_: None,
            subject="events",
        )

    def _try(self, session: ApiSession, complaint: Complaint) -> float:
        """Send one; return for how many seconds no other is to be sent."""
        told = self._complaints.told(complaint)
        try:
            count = self._send(session, complaint, told.count if told else 0)
        except Forbidden as error:
            if "being terminated" not in str(error):
                return self._refused(error)
            count = 0  # the namespace is going: nobody will read it
        except ApiError as error:
            self.counts["failed"] += 1
            is_about_this_one = error.status is not None and 400 <= error.status < 500
            if not is_about_this_one or isinstance(error, _OF_THE_MOMENT):
                logger.debug("an Event can't be sent now: %s", error)
                return error.retry_after or self._backoff.next(LONGEST_WAIT_SECONDS)
            logger.warning("the Event %s is not taken: %s", complaint.name, error)
            count = 0
        else:
            self.counts["sent"] += 1
        self._backoff.reset()
        self._is_forbidden = False
        with self._condition:
            self._complaints.note(complaint, count, self._clock())
        return PAUSE_SECONDS

    def _refused(self, error: Forbidden) -> float:
        self.counts["failed"] += 1
        if not self._is_forbidden:
            logger.warning(
                "Events can't be sent: %s; WATCHER_EVENTS needs create and patch on events.events.k8s.io",
                error,
                extra={"event": "api-right-missing"},
            )
        self._is_forbidden = True
        return FORBIDDEN_SECONDS

    def _send(self, session: ApiSession, complaint: Complaint, count: int) -> int:
        """Make the Event, or the series of one that is there; return how often it has been sent by then."""
        path = f"/apis/events.k8s.io/v1/namespaces/{quote(complaint.namespace, safe='')}/events"
        now = self._wall()
        if count == 0:
            made = event_object(complaint, node=self._node, now=now)
            try:
                session.send("create", path, made)
            except ServerError as error:
                if error.status != 409:  # else an earlier life of the watcher has made it
                    raise
                count = 1
            else:
                return 1
        one = f"{path}/{quote(complaint.name, safe='')}"
        try:
            session.send("patch", one, series(count + 1, now=now))
        except ApiError as error:
            if error.status != 404:
                raise
            # It has expired meanwhile.
            session.send("create", path, event_object(complaint, node=self._node, now=now))
            return 1
        return count + 1
