"""A thread that always works on the latest that it was given, so that one agent's trouble is its own."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

import attrs

from kube_log_watcher_core.errors import WatcherError
from kube_log_watcher_core.settings.kinds import LONGEST_SECONDS

logger = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 60.0
SLOW_SECONDS = 30.0
"""After so long a `sync` is reported as hanging."""

MOST_QUESTIONS = 8
"""So many wait for a sync to end; one more, and the oldest goes without an answer."""

T = TypeVar("T")
A = TypeVar("A")


@attrs.frozen
class WorkerStatus:
    """How one agent is doing. Times are those of the worker's clock, in seconds."""

    name: str
    busy_since: float | None = None
    """When the sync that goes on began; None when idle."""
    last_success: float | None = None
    last_error: str | None = None
    """What the last sync failed of; None after a success."""
    failures: int = 0
    """Failures in a row."""
    syncs: int = 0
    """Successful syncs so far."""


@attrs.frozen
class _Job(Generic[T]):
    work: T
    recheck: bool


@attrs.frozen
class _First:
    call: Callable[[], None]


class NotNow(Exception):
    """A sync that is to be tried again in so many seconds, which is no failure."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:g} s")
        self.seconds = seconds


@attrs.frozen
class _Question:
    call: Callable[[], None]


class Worker(Generic[T]):
    """Calls ``sync`` with the latest work, never twice at a time, and again after a failure.

    Parameters
    ----------
    name
        for the log.
    sync
        takes the work, and whether to compare with what is really there; tells whether the work
        brought anything new. It may raise anything.
    first
        is called once before the first sync, and again until it succeeds.
    last
        is called when the thread ends, in the thread. It must not raise.
    pause_seconds
        least time between two syncs, after one that brought something new.
    title
        how the log calls it; ``agent`` and the name unless given.
    """

    def __init__(
        self,
        name: str,
        sync: Callable[[T, bool], bool],
        *,
        first: Callable[[], None] | None = None,
        last: Callable[[], None] | None = None,
        pause_seconds: float = 0.0,
        title: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._title = title or f"agent {name}"
        self._sync = sync
        self._first = first
        self._last = last
        # An agent may say anything; what is no number is no pause.
        self._pause = min(pause_seconds, LONGEST_SECONDS) if pause_seconds > 0 else 0.0
        self._clock = clock
        self._changed = threading.Condition()
        self._job: _Job[T] | None = None
        self._questions: deque[_Question] = deque(maxlen=MOST_QUESTIONS)
        self._not_before = 0.0
        self._stopped = False
        self._finishing = False
        self._reported_slow: float | None = None
        self._status = WorkerStatus(name)
        self._thread = threading.Thread(target=self._run, name=f"agent-{name}", daemon=True)

    @property
    def status(self) -> WorkerStatus:
        """How it is doing."""
        return self._status

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(self, work: T, *, recheck: bool = False) -> None:
        """Hand over the latest work; what was waiting is replaced. Never blocks."""
        with self._changed:
            recheck = recheck or (self._job is not None and self._job.recheck)
            self._job = _Job(work, recheck)
            self._changed.notify()

    def ask(self, question: Callable[[], A]) -> Future[A]:
        """Have a question answered in the worker's thread, between two syncs. Never blocks.

        There may be no answer: the sync that goes on may hang.
        """
        answer: Future[A] = Future()
        with self._changed:
            self._questions.append(_Question(functools.partial(_answer, question, answer)))
            self._changed.notify()
        return answer

    def stop(self, *, wait_seconds: float, finish: bool = False) -> bool:
        """Let the sync that goes on finish; tell whether the thread did end in time.

        What waits to be done is left undone, or, with ``finish``, tried once more without a pause.
        """
        with self._changed:
            self._stopped, self._finishing = True, finish
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(wait_seconds)
        return not self._thread.is_alive()

    def slow_at(self) -> float | None:
        """Tell when the sync that goes on will count as hanging; None when idle or reported."""
        since = self._status.busy_since
        return None if since is None or since == self._reported_slow else since + SLOW_SECONDS

    def report_slow(self, now: float) -> None:
        """Say it once when a sync takes suspiciously long."""
        since = self._status.busy_since
        if since is not None and since != self._reported_slow and now - since >= SLOW_SECONDS:
            self._reported_slow = since
            text = "%s has been working on one sync for %.0f s"
            logger.error(text, self._title, now - since, extra={"event": "agent-hangs"})

    def _run(self) -> None:
        while True:
            try:
                self._work()
                break
            except BaseException as error:  # noqa: BLE001 - a bug of ours: the agent must not be left in silence
                self._stumbled(error)
        if self._last is not None:
            self._last()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            if isinstance(job, _Question):
                job.call()
            else:
                self._attempt(job)

    def _stumbled(self, error: BaseException) -> None:
        text = f"{type(error).__name__}: {error}"
        fields = {"event": "agent-failed"}
        logger.error("%s stumbled, it goes on: %s", self._title, text, exc_info=error, extra=fields)
        failures = self._status.failures + 1
        self._status = attrs.evolve(self._status, busy_since=None, last_error=text, failures=failures)
        time.sleep(FIRST_RETRY_SECONDS)

    def _next(self) -> _Job[T] | _First | _Question | None:
        with self._changed:
            while not self._stopped:
                if self._questions:
                    return self._questions.popleft()
                wait = self._not_before - self._clock()
                idle = self._job is None and self._first is None
                if not idle and wait <= 0:
                    return self._take()
                self._changed.wait(None if idle else min(wait, LONGEST_SECONDS))
            finishing, self._finishing = self._finishing, False
            return self._take() if finishing and self._first is None else None

    def _take(self) -> _Job[T] | _First | None:
        if self._first is not None:
            return _First(self._first)
        job, self._job = self._job, None
        return job

    def _attempt(self, job: _Job[T] | _First) -> None:
        self._status = attrs.evolve(self._status, busy_since=self._clock())
        news = False
        try:
            if isinstance(job, _First):
                job.call()
            else:
                news = self._sync(job.work, job.recheck)
        except NotNow as later:
            self._again(job, later.seconds)
            self._status = attrs.evolve(self._status, busy_since=None)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the thread must not end in silence
            self._failed(job, error)
        else:
            self._succeeded(job, news=news)

    def _succeeded(self, job: _Job[T] | _First, *, news: bool) -> None:
        before = self._status
        if before.failures:
            text = "%s works again after %d failures"
            logger.info(text, self._title, before.failures, extra={"event": "agent-back"})
        if before.busy_since is not None and before.busy_since == self._reported_slow:
            logger.info("%s is done with it after %.0f s", self._title, self._clock() - before.busy_since)
        if isinstance(job, _First):
            self._first = None
            self._status = attrs.evolve(before, busy_since=None, last_error=None, failures=0)
            return
        now = self._clock()
        self._not_before = now + self._pause if news else now
        self._status = attrs.evolve(
            before, busy_since=None, last_success=now, last_error=None, failures=0, syncs=before.syncs + 1
        )

    def _failed(self, job: _Job[T] | _First, error: BaseException) -> None:
        before = self._status
        text = f"{type(error).__name__}: {error}"
        if text != before.last_error:
            trace = None if isinstance(error, WatcherError) else error
            fields = {"event": "agent-failed"}
            logger.error("%s failed, it is tried again: %s", self._title, text, exc_info=trace, extra=fields)
        wait = min(FIRST_RETRY_SECONDS * 2.0 ** min(before.failures, 16), LONGEST_RETRY_SECONDS)
        self._again(job, wait)
        self._status = attrs.evolve(before, busy_since=None, last_error=text, failures=before.failures + 1)

    def _again(self, job: _Job[T] | _First, seconds: float) -> None:
        with self._changed:
            self._not_before = self._clock() + seconds
            if isinstance(job, _Job):
                # Newer work that came meanwhile wins, but what was to be compared still is.
                newest = self._job or job
                self._job = _Job(newest.work, recheck=newest.recheck or job.recheck)


def _answer(question: Callable[[], A], answer: Future[A]) -> None:
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(question())
    except BaseException as error:  # noqa: BLE001 - whatever it is, the thread must not end in silence
        answer.set_exception(error)
