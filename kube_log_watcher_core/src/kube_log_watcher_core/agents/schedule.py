"""What a worker does next, and when: it is told the time, and nothing in it waits."""

from __future__ import annotations

import enum
from collections import deque
from typing import Generic, TypeVar

import attrs

from kube_log_watcher_core.backoff import Backoff
from kube_log_watcher_core.settings.kinds import LONGEST_SECONDS

FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 60.0

T = TypeVar("T")


class Stage(enum.Enum):
    """What comes before the first sync."""

    BEGIN = "begin"
    """Ask whether it may begin."""
    PREPARE = "prepare"


@attrs.frozen
class Job(Generic[T]):
    """One sync."""

    work: T
    recheck: bool


class Schedule(Generic[T]):
    """What is done next, and when: first the stages in their order, then the latest work.

    Whoever does it takes a step when it is due, and tells how it went.

    Parameters
    ----------
    pause_seconds
        least time between two syncs, after one that brought something new.
    """

    def __init__(self, *stages: Stage, pause_seconds: float = 0.0) -> None:
        self._stages = deque(stages)
        # An agent may say anything; what is no number is no pause.
        self._pause = min(pause_seconds, LONGEST_SECONDS) if pause_seconds > 0 else 0.0
        self._job: Job[T] | None = None
        self._rest: Job[T] | None = None
        """The last job, where part of it is left: newer work need not wait for its next attempt."""
        self._rest_at = float("-inf")
        self._is_newer = False
        """Whether the job that was taken came while that attempt was not due yet."""
        self._not_before = float("-inf")
        self._backoff = Backoff(first_seconds=FIRST_RETRY_SECONDS)

    @property
    def begun(self) -> bool:
        """Whether it may work."""
        return Stage.BEGIN not in self._stages

    def submit(self, work: T, *, recheck: bool = False) -> None:
        """Take the latest work; what was waiting is replaced, but what was to be compared still is."""
        self._job = Job(work, recheck or (self._job is not None and self._job.recheck))

    def due(self) -> float | None:
        """Return when the next step is due; None while there is none."""
        if self._stages or self._job is not None:
            return self._not_before
        return None if self._rest is None else max(self._not_before, self._rest_at)

    def take(self) -> Stage | Job[T] | None:
        """Return the next step, due or not."""
        return self._stages[0] if self._stages else self._take_job()

    def last(self) -> Job[T] | None:
        """Return what waits, for a last attempt; None before everything is prepared."""
        return None if self._stages else self._take_job()

    def _take_job(self) -> Job[T] | None:
        self._is_newer = self._job is not None and self._rest is not None
        job, self._job, self._rest = self._job or self._rest, None, None
        return job

    def succeeded(
        self, step: Stage | Job[T], now: float, *, news: bool = False, again_seconds: float | None = None
    ) -> None:
        """Go on; with news, the next sync waits for the pause to be over.

        Where something is left to do, the same work comes again in so many seconds, unless newer has come.
        """
        self._backoff.reset()
        if isinstance(step, Stage):
            self._stages.popleft()
        self._not_before = now + self._pause if news else now
        if again_seconds is not None and isinstance(step, Job):
            self._rest, self._rest_at = Job(step.work, recheck=False), now + again_seconds

    def failed(self, step: Stage | Job[T], now: float) -> None:
        """Try again, later and later."""
        self.put_off(step, now, self._backoff.next(LONGEST_RETRY_SECONDS))

    def partly_failed(self, step: Job[T], now: float) -> None:
        """Try what failed of it again, later and later; what is new waits for the pause alone."""
        self._not_before = now + self._pause
        # All was compared, and what failed is compared again whatever is asked for.
        self._rest = Job(step.work, recheck=False)
        if not self._is_newer:
            self._rest_at = now + self._backoff.next(LONGEST_RETRY_SECONDS)

    def put_off(self, step: Stage | Job[T], now: float, seconds: float) -> None:
        """Try again in so many seconds, with newer work if that has come until then."""
        self._not_before = now + seconds
        if isinstance(step, Job):
            newest = self._job or step
            self._job = Job(newest.work, recheck=newest.recheck or step.recheck)
