"""A thread that always works on the latest that it was given, so that one agent's trouble is its own.

What is next, and when, is decided by its `Schedule`.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

import attrs

from kube_log_watcher_core.agents.schedule import FIRST_RETRY_SECONDS, Job, Schedule, Stage
from kube_log_watcher_core.errors import PartlyFailed, WatcherError
from kube_log_watcher_core.settings.kinds import LONGEST_SECONDS

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
"""How soon to ask again whether one may begin: a second is the most that a change of watchers may take."""
SLOW_SECONDS = 30.0
"""After so long a `sync` is reported as hanging."""

MOST_QUESTIONS = 8
"""So many wait for a sync to end; one more, and the oldest goes without an answer."""

T = TypeVar("T")
A = TypeVar("A")


class NotNow(Exception):
    """A sync that is to be tried again in so many seconds, which is no failure."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:g} s")
        self.seconds = seconds


class OnceMore(Exception):
    """What a sync ends with that went well, and is to be called again in so many seconds for what is left."""

    def __init__(self, seconds: float, *, news: bool) -> None:
        super().__init__(f"once more in {seconds:g} s")
        self.seconds = seconds
        self.news = news


@attrs.frozen
class WorkerStatus:
    """How a worker is doing. Times are those of its clock, in seconds."""

    name: str
    begun: bool = False
    """Whether it may work: nobody else is at it any more."""
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
        brought anything new. It may raise anything; `OnceMore` is no failure, nor is `NotNow`.
    ready
        is asked every `POLL_SECONDS` whether the worker may begin, until it may.
    prepare
        is called once before the first sync, and again until it succeeds.
    close
        is called at the end, in the thread if there is one. It must not raise.
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
        ready: Callable[[], bool] | None = None,
        prepare: Callable[[], None] | None = None,
        close: Callable[[], None] | None = None,
        pause_seconds: float = 0.0,
        title: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._title = title or f"agent {name}"
        self._sync = sync
        self._ready = ready
        self._prepare = prepare
        self._close = close
        self._clock = clock
        self._changed = threading.Condition()
        stages = [(Stage.BEGIN, ready), (Stage.PREPARE, prepare)]
        self._schedule = Schedule[T](*(stage for stage, call in stages if call), pause_seconds=pause_seconds)
        self._questions: deque[_Question] = deque(maxlen=MOST_QUESTIONS)
        self._held = True
        self._stopped = False
        self._finishing = False
        self._ended = threading.Event()
        self._reported_slow: float | None = None
        self._status = WorkerStatus(name, begun=ready is None)
        thread = self._title.replace(" ", "-")
        self._thread = threading.Thread(target=self._run, name=thread, daemon=True)

    @property
    def status(self) -> WorkerStatus:
        """How it is doing."""
        return self._status

    @property
    def ended(self) -> bool:
        """Whether it has come to its end, and let go of everything."""
        return self._ended.is_set()

    def start(self) -> None:
        """Have a thread, which waits for `begin`. Raises RuntimeError when there can be no further one."""
        self._thread.start()

    def begin(self) -> None:
        """Work from now on. Never blocks."""
        with self._changed:
            self._held = False
            self._changed.notify()

    def submit(self, work: T, *, recheck: bool = False) -> None:
        """Hand over the latest work; what was waiting is replaced. Never blocks."""
        with self._changed:
            self._schedule.submit(work, recheck=recheck)
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
        if self._thread.ident is None and not self.ended:
            self._end()  # it was never started
        return self._ended.wait(wait_seconds) if wait_seconds > 0 else self.ended

    def slow_at(self) -> float | None:
        """Return when the sync that goes on will count as hanging; None when idle or reported."""
        since = self._status.busy_since
        return None if since is None or since == self._reported_slow else since + SLOW_SECONDS

    def report_slow(self, now: float) -> None:
        """Say it once when a sync takes suspiciously long."""
        since = self._status.busy_since
        if since is not None and since != self._reported_slow and now - since >= SLOW_SECONDS:
            self._reported_slow = since
            text = "%s has been working on one sync for %.0f s"
            logger.error(text, self._title, now - since, extra={"event": "agent-hangs"})

    # ------------------------------------------------------------------ in its thread

    def _run(self) -> None:
        while not self._work_on():
            pass
        self._end()

    def _end(self) -> None:
        try:
            if self._close is not None:
                self._close()
        finally:
            self._ended.set()

    def _work_on(self) -> bool:
        """Do one step after the other until it is stopped; False when that failed for a bug of ours."""
        try:
            while (step := self._wait()) is not None:
                if isinstance(step, _Question):
                    step.call()
                elif step is Stage.BEGIN:
                    self._ask_whether_it_may_begin()
                else:
                    self._attempt(step)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the agent must not be left in silence
            self._stumbled(error)
            return False
        return True

    def _wait(self) -> Stage | Job[T] | _Question | None:
        """Wait for the next step; None when there is none any more."""
        with self._changed:
            while not self._stopped:
                if self._questions:
                    return self._questions.popleft()
                due = None if self._held else self._schedule.due()
                left = None if due is None else due - self._clock()
                if left is not None and left <= 0:
                    return self._schedule.take()
                self._changed.wait(None if left is None else min(left, LONGEST_SECONDS))
            finishing, self._finishing = self._finishing, False
            return self._schedule.last() if finishing else None

    def _ask_whether_it_may_begin(self) -> None:
        may_begin = self._ready is None or self._ready()
        with self._changed:
            if may_begin:
                self._schedule.succeeded(Stage.BEGIN, self._clock())
                self._status = attrs.evolve(self._status, begun=True)
            else:
                self._schedule.put_off(Stage.BEGIN, self._clock(), POLL_SECONDS)

    def _attempt(self, step: Stage | Job[T]) -> None:
        self._status = attrs.evolve(self._status, busy_since=self._clock())
        news = False
        try:
            if isinstance(step, Job):
                news = self._sync(step.work, step.recheck)
            elif self._prepare is not None:
                self._prepare()
        except OnceMore as more:
            self._succeeded(step, news=more.news, again_seconds=more.seconds)
        except NotNow as later:
            with self._changed:
                self._schedule.put_off(step, self._clock(), later.seconds)
            self._status = attrs.evolve(self._status, busy_since=None)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the thread must not end in silence
            self._failed(step, error)
        else:
            self._succeeded(step, news=news)

    def _succeeded(self, step: Stage | Job[T], *, news: bool, again_seconds: float | None = None) -> None:
        before, now = self._status, self._clock()
        if before.failures:
            text = "%s works again after %d failures"
            logger.info(text, self._title, before.failures, extra={"event": "agent-back"})
        if before.busy_since is not None and before.busy_since == self._reported_slow:
            logger.info("%s is done with it after %.0f s", self._title, now - before.busy_since)
        with self._changed:
            self._schedule.succeeded(step, now, news=news, again_seconds=again_seconds)
        after = attrs.evolve(before, busy_since=None, last_error=None, failures=0)
        if isinstance(step, Job):
            after = attrs.evolve(after, last_success=now, syncs=before.syncs + 1)
        self._status = after

    def _failed(self, step: Stage | Job[T], error: BaseException) -> None:
        text = f"{type(error).__name__}: {error}"
        if text != self._status.last_error:
            trace = None if isinstance(error, WatcherError) else error
            fields = {"event": "agent-failed"}
            logger.error("%s failed, it is tried again: %s", self._title, text, exc_info=trace, extra=fields)
        with self._changed:
            if isinstance(error, PartlyFailed) and isinstance(step, Job):
                self._schedule.partly_failed(step, self._clock())
            else:
                self._schedule.failed(step, self._clock())
        self._note_failure(text)

    def _stumbled(self, error: BaseException) -> None:
        text = f"{type(error).__name__}: {error}"
        self._note_failure(text)
        with contextlib.suppress(Exception):  # there may be no memory to say it
            fields = {"event": "agent-failed"}
            logger.error("%s stumbled, it goes on: %s", self._title, text, exc_info=error, extra=fields)
        with self._changed:
            self._changed.wait(FIRST_RETRY_SECONDS)

    def _note_failure(self, text: str) -> None:
        failures = self._status.failures + 1
        self._status = attrs.evolve(self._status, busy_since=None, last_error=text, failures=failures)


def _answer(question: Callable[[], A], answer: Future[A]) -> None:
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(question())
    except BaseException as error:  # noqa: BLE001 - whatever it is, the thread must not end in silence
        answer.set_exception(error)
