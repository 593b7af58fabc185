"""Questions that a worker answers in its own thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as NoAnswer

import pytest

from kube_log_watcher_core.agents import Worker
from support import wait_until


@pytest.fixture
def make() -> Iterator[Callable[[Callable[[], object]], Worker[int]]]:
    made = []

    def maker(sync: Callable[[], object]) -> Worker[int]:
        def call(_work: int, _recheck: bool) -> bool:
            sync()
            return True

        worker = Worker[int]("asked", call)
        made.append(worker)
        worker.start()
        worker.begin()
        return worker

    yield maker
    for worker in made:
        worker.stop(wait_seconds=5)


Make = Callable[[Callable[[], object]], Worker[int]]


def test_a_question_is_answered_in_the_workers_thread(make: Make) -> None:
    worker = make(lambda: None)
    assert worker.ask(lambda: threading.current_thread().name).result(5) == "agent-asked"


def test_a_question_waits_for_the_sync_that_goes_on(make: Make) -> None:
    go = threading.Event()
    worker = make(lambda: go.wait(30))
    worker.submit(1)
    wait_until(lambda: worker.status.busy_since is not None, what="a sync")
    answer = worker.ask(lambda: "told")
    with pytest.raises(NoAnswer):
        answer.result(0.05)
    go.set()
    assert answer.result(5) == "told"


def test_a_worker_that_fails_and_waits_still_answers(make: Make) -> None:
    def fail() -> None:
        raise OSError("broken")

    worker = make(fail)
    worker.submit(1)
    wait_until(lambda: worker.status.failures > 0, what="a failure")
    assert worker.ask(lambda: "told").result(5) == "told"


def test_a_question_may_fail_and_the_worker_goes_on(make: Make) -> None:
    synced = threading.Event()
    worker = make(synced.set)

    def fail() -> None:
        raise SystemExit("no")

    with pytest.raises(SystemExit):
        worker.ask(fail).result(5)
    worker.submit(1)
    assert synced.wait(30)


def test_a_question_that_nobody_waits_for_any_more_is_not_put(make: Make) -> None:
    go, put = threading.Event(), threading.Event()
    worker = make(lambda: go.wait(30))
    worker.submit(1)
    wait_until(lambda: worker.status.busy_since is not None, what="a sync")
    assert worker.ask(put.set).cancel()
    go.set()
    assert worker.ask(put.is_set).result(5) is False


def test_questions_to_a_worker_that_hangs_do_not_pile_up(make: Make) -> None:
    go = threading.Event()
    worker = make(lambda: go.wait(30))
    worker.submit(1)
    wait_until(lambda: worker.status.busy_since is not None, what="a sync")
    answers = [worker.ask(lambda: None) for _ in range(100)]
    go.set()
    assert answers[-1].result(5) is None
    assert sum(answer.done() for answer in answers) == 8
