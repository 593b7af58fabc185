"""How a worker ends, what it survives, and what it says of slowness."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from kube_log_watcher_core import AgentError
from kube_log_watcher_core.agents import FolderLocks, NotNow, Worker
from kube_log_watcher_core.agents.schedule import Job, Schedule, Stage
from kube_log_watcher_core.discovery import Discovery, NodePaths
from kube_log_watcher_core.kube import ApiAccess
from kube_log_watcher_core.kube.watch import PodWatch
from kube_log_watcher_core.loop.node_pass import NodePass
from kube_log_watcher_core.loop.spooling import Spooling
from kube_log_watcher_core.models import Container, Layout, Pods, Work
from kube_log_watcher_core.reconcile import Reconciler, Timeouts
from kube_log_watcher_core.resolve import Rules
from kube_log_watcher_core.spool import SpoolRules
from support import wait_until


class TestSchedule:
    """What is next, and when: nothing here waits."""

    def steps(self, schedule: Schedule[str], now: float) -> list[object]:
        """Take and do all that is due."""
        taken: list[object] = []
        while (due := schedule.due()) is not None and due <= now:
            step = schedule.take()
            assert step is not None
            taken.append(step)
            schedule.succeeded(step, now)
        return taken

    def job(self, schedule: Schedule[str]) -> Job[str]:
        """Take a step that must be a sync."""
        step = schedule.take()
        assert isinstance(step, Job)
        return step

    def test_the_stages_come_first_then_the_latest_work(self) -> None:
        schedule = Schedule[str](Stage.BEGIN, Stage.PREPARE)
        schedule.submit("old", recheck=True)
        schedule.submit("new")
        before = schedule.begun
        assert self.steps(schedule, 0.0) == [Stage.BEGIN, Stage.PREPARE, Job("new", recheck=True)]
        assert (before, schedule.begun) == (False, True)
        assert schedule.due() is None

    def test_failures_wait_twice_as_long_each_time_up_to_a_minute_and_a_success_starts_anew(self) -> None:
        schedule, now, waits = Schedule[str](), 0.0, list[float]()
        schedule.submit("work")
        for _ in range(9):
            step = schedule.take()
            assert step is not None
            schedule.failed(step, now)
            due = schedule.due()
            assert due is not None
            waits.append(due - now)
            now = due
        assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
        assert self.steps(schedule, now) == [Job("work", recheck=False)]
        schedule.submit("more")
        step = schedule.take()
        assert step is not None
        schedule.failed(step, now)
        assert schedule.due() == now + 0.5

    def test_newer_work_replaces_what_failed_but_not_its_wish_to_compare_nor_its_wait(self) -> None:
        schedule = Schedule[str]()
        schedule.submit("old", recheck=True)
        step = schedule.take()
        assert step is not None
        schedule.submit("new")
        schedule.failed(step, 10.0)
        assert schedule.due() == 10.5
        assert self.steps(schedule, 10.4) == []
        assert self.steps(schedule, 10.5) == [Job("new", recheck=True)]

    def test_a_stage_that_fails_or_is_put_off_holds_up_the_work(self) -> None:
        schedule = Schedule[str](Stage.BEGIN)
        schedule.submit("work")
        schedule.put_off(Stage.BEGIN, 0.0, 0.2)
        assert schedule.due() == 0.2
        assert schedule.last() is None
        schedule.submit("work")
        schedule.failed(Stage.BEGIN, 1.0)
        assert self.steps(schedule, 1.5) == [Stage.BEGIN, Job("work", recheck=False)]

    def test_what_failed_in_part_is_tried_again_and_newer_work_does_not_wait_for_that(self) -> None:
        schedule = Schedule[str](pause_seconds=0.1)
        schedule.submit("a", recheck=True)
        schedule.partly_failed(self.job(schedule), 10.0)
        assert schedule.due() == pytest.approx(10.5)
        schedule.submit("b")
        assert schedule.due() == pytest.approx(10.1)
        schedule.partly_failed(self.job(schedule), 10.2)
        assert schedule.due() == pytest.approx(10.5), "newer work puts nothing off"
        assert self.job(schedule) == Job("b", recheck=False)
        assert schedule.due() is None
        schedule.partly_failed(Job("b", recheck=False), 10.6)
        assert schedule.due() == pytest.approx(11.6), "ever more rarely"
        schedule.submit("c")
        schedule.succeeded(self.job(schedule), 20.0)
        assert schedule.due() is None, "newer work has taken its place"
        schedule.submit("d")
        schedule.partly_failed(self.job(schedule), 30.0)
        assert schedule.due() == pytest.approx(30.5)

    def test_what_is_left_of_a_sync_comes_again_after_the_pause_unless_there_is_newer_work(self) -> None:
        schedule = Schedule[str](pause_seconds=5.0)
        schedule.submit("a")
        schedule.succeeded(self.job(schedule), 10.0, news=True, again_seconds=0.1)
        assert schedule.due() == 15.0
        assert self.job(schedule) == Job("a", recheck=False)
        schedule.succeeded(Job("a", recheck=False), 20.0, again_seconds=7.0)
        assert schedule.due() == 27.0
        schedule.submit("b")
        assert schedule.due() == 20.0
        schedule.succeeded(self.job(schedule), 21.0)
        assert schedule.due() is None

    def test_only_news_is_followed_by_a_pause(self) -> None:
        schedule = Schedule[str](pause_seconds=5.0)
        for work, news, due in (("a", True, 5.0), ("b", False, 5.0)):
            schedule.submit(work)
            step = schedule.take()
            assert step is not None
            schedule.succeeded(step, 0.0 if news else 5.0, news=news)
            schedule.submit("next")
            assert schedule.due() == due


class Notes:
    """What a worker was given; each piece of work can be held up, or fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bool]] = []
        self.done: list[str] = []
        self.begun = threading.Event()
        self.free = threading.Event()
        self.error: BaseException | None = None

    def sync(self, work: str, recheck: bool) -> bool:
        self.calls.append((work, recheck))
        self.begun.set()
        assert self.free.wait(30)
        if self.error is not None:
            raise self.error
        self.done.append(work)
        return True


@contextmanager
def at_work(notes: Notes, **options: object) -> Iterator[Worker[str]]:
    worker = Worker[str]("a", notes.sync, **options)  # type: ignore[arg-type]
    worker.start()
    worker.begin()
    try:
        yield worker
    finally:
        notes.free.set()
        worker.stop(wait_seconds=5.0)


def has_synced(worker: Worker[str], times: int) -> bool:
    return worker.status.syncs == times


def test_the_latest_work_is_done_and_a_wanted_comparison_is_not_lost() -> None:
    notes = Notes()
    with at_work(notes) as worker:
        worker.submit("first")
        assert notes.begun.wait(30)
        worker.submit("second", recheck=True)
        worker.submit("third")
        notes.free.set()
        wait_until(lambda: worker.status.syncs == 2)
    assert notes.calls == [("first", False), ("third", True)]


def test_the_same_failure_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    notes = Notes()
    notes.free.set()
    notes.error = AgentError("no space left")
    with at_work(notes) as worker:
        worker.submit("work", recheck=True)
        wait_until(lambda: worker.status.failures == 2)
        notes.error = None
        wait_until(lambda: worker.status.syncs == 1)
    assert notes.calls == [("work", True)] * 3
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "agent a failed, it is tried again: AgentError: no space left",
        "agent a works again after 2 failures",
    ]


def test_it_is_prepared_before_the_first_sync_also_where_there_is_nothing_to_sync() -> None:
    notes, prepared = Notes(), threading.Event()
    notes.free.set()
    with at_work(notes, prepare=prepared.set) as worker:
        assert prepared.wait(30)
        assert notes.calls == []
        worker.submit("work")
        wait_until(lambda: notes.done == ["work"])


def test_no_sync_begins_after_the_stop() -> None:
    notes = Notes()
    notes.free.set()
    with at_work(notes) as worker:
        assert worker.stop(wait_seconds=30)
        worker.submit("work")
        assert worker.stop(wait_seconds=30)
    assert notes.calls == []


def test_one_that_may_not_begin_yet_asks_again_and_does_nothing_meanwhile() -> None:
    notes, asked, may = Notes(), threading.Event(), threading.Event()
    notes.free.set()

    def ready() -> bool:
        asked.set()
        return may.is_set()

    with at_work(notes, ready=ready) as worker:
        worker.submit("work")
        assert asked.wait(30)
        assert not worker.status.begun
        assert notes.calls == []
        may.set()
        wait_until(lambda: notes.done == ["work"])
        assert worker.status.begun


def test_one_that_never_began_is_closed_where_it_is_stopped() -> None:
    closed = list[str]()
    worker = Worker[str](
        "a", lambda _work, _recheck: False, close=lambda: closed.append(threading.current_thread().name)
    )
    worker.submit("work")
    assert worker.stop(wait_seconds=30)
    assert worker.stop(wait_seconds=30)
    assert closed == [threading.current_thread().name]


def test_what_waits_is_left_undone_at_the_end() -> None:
    notes = Notes()
    with at_work(notes) as worker:
        worker.submit("first")
        assert notes.begun.wait(30)
        worker.submit("second")
        assert not worker.stop(wait_seconds=0.0)
        notes.free.set()
        assert worker.stop(wait_seconds=5.0)
    assert notes.done == ["first"]


def test_asked_to_finish_it_does_what_waits_without_its_pause() -> None:
    notes = Notes()
    notes.free.set()
    with at_work(notes, pause_seconds=3600.0) as worker:
        worker.submit("first")
        wait_until(lambda: notes.done == ["first"])
        worker.submit("second")
        assert worker.stop(wait_seconds=5.0, finish=True)
    assert notes.done == ["first", "second"]


def test_asked_to_finish_it_tries_once_and_not_for_ever() -> None:
    notes = Notes()
    notes.free.set()
    notes.error = OSError("full")
    with at_work(notes) as worker:
        worker.submit("first")
        wait_until(lambda: worker.status.failures == 1)
        assert worker.stop(wait_seconds=5.0, finish=True)
        assert worker.status.failures == 2


def test_with_nothing_left_to_do_finishing_is_ending() -> None:
    notes = Notes()
    with at_work(notes) as worker:
        assert worker.stop(wait_seconds=5.0, finish=True)
    assert notes.done == []


@pytest.mark.parametrize("error", [SystemExit(3), RuntimeError("boom"), RecursionError(), MemoryError()])
def test_whatever_a_sync_raises_the_worker_goes_on(error: BaseException) -> None:
    """A plugin that calls `sys.exit` would else end its thread in silence."""
    notes = Notes()
    notes.free.set()
    notes.error = error
    with at_work(notes) as worker:
        worker.submit("first")
        wait_until(lambda: worker.status.failures)
        notes.error = None
        wait_until(lambda: notes.done == ["first"])
        wait_until(lambda: worker.status.last_error is None)


def test_a_worker_that_stumbles_says_so_counts_it_as_a_failure_and_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Else an agent's thread would end for good, and nobody would see it."""
    stumbles = [OverflowError("timeout value is too large")]

    def clock() -> float:
        if stumbles and threading.current_thread().name == "agent-a":
            raise stumbles.pop()
        return time.monotonic()

    notes = Notes()
    notes.free.set()
    with at_work(notes, clock=clock) as worker:
        worker.submit("first")
        wait_until(lambda: worker.status.failures == 1)
        assert worker.status.last_error == "OverflowError: timeout value is too large"
        wait_until(lambda: notes.done == ["first"])
        wait_until(lambda: worker.status.failures == 0)
    assert "agent a stumbled, it goes on" in caplog.text


@pytest.mark.parametrize("pause", [1e10, float("inf"), float("nan"), -1.0])
def test_an_agent_s_pause_is_never_more_than_can_be_waited_for(pause: float) -> None:
    notes = Notes()
    notes.free.set()
    with at_work(notes, pause_seconds=pause) as worker:
        worker.submit("first")
        wait_until(partial(has_synced, worker, 1))
        worker.submit("second")
        if pause > 0:
            assert worker.ask(lambda: notes.done).result(5) == ["first"]
        else:
            wait_until(partial(has_synced, worker, 2))
        assert (worker.status.failures, worker.status.last_error) == (0, None)


def test_the_last_call_comes_in_the_workers_own_thread_after_all_others() -> None:
    notes = Notes()
    notes.free.set()
    threads: list[str] = []
    with at_work(notes, close=lambda: threads.append(threading.current_thread().name)) as worker:
        worker.submit("first")
        wait_until(lambda: notes.done)
        assert threads == []
    assert threads == ["agent-a"]


def test_each_sync_that_hangs_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    notes = Notes()
    now = [100.0]
    with at_work(notes, clock=lambda: now[0]) as worker:
        for number in range(2):
            notes.begun.clear()
            notes.free.clear()
            worker.submit("work")
            assert notes.begun.wait(30)
            now[0] += 29.0
            worker.report_slow(now[0])
            now[0] += 2.0
            worker.report_slow(now[0])
            worker.report_slow(now[0])
            assert worker.slow_at() is None
            notes.free.set()
            wait_until(partial(has_synced, worker, number + 1))
    told = [record.getMessage() for record in caplog.records]
    assert told == ["agent a has been working on one sync for 31 s", "agent a is done with it after 31 s"] * 2


def test_what_is_waited_for_wakes_nobody_while_the_api_has_never_answered(tmp_path: Path) -> None:
    """A reload takes the records to a new API; deadlines of before would be overdue until it answers."""
    now = [0.0]
    reconciler = Reconciler(Work(), clock=lambda: now[0], wall=lambda: now[0])
    unknown = Container(
        key="a" * 64, layout=Layout.DOCKER, name="main", pod_name="p", namespace="n", log_path=tmp_path
    )
    reconciler.reconcile([unknown], Pods(), rules=Rules(), timeouts=Timeouts())
    now[0] = 1000.0
    assert reconciler.next_deadline() is not None
    paths = NodePaths(containers=tmp_path, layout="auto", roots=(tmp_path,))
    pod_watch = PodWatch(ApiAccess("http://127.0.0.1:9"), node_name="node-1", on_change=lambda: None)
    with closing(Discovery(paths)) as discovery:
        spooling = Spooling(
            [],
            Work(),
            roots=[],
            rules=SpoolRules(),
            locks=FolderLocks(),
            wall=lambda: now[0],
            clock=lambda: now[0],
            on_swept=lambda: None,
        )
        node = NodePass(discovery, pod_watch, reconciler, spooling, begin_anew=lambda: (reconciler, Work()))
        assert node.look(Rules(), Timeouts(), full=True) is None
        assert node.next_deadline(now[0]) is None


def test_work_that_is_put_off_is_no_failure_and_is_done_later_unless_newer_work_came() -> None:
    notes = Notes()
    notes.free.set()
    notes.error = NotNow(0.02)
    with at_work(notes) as worker:
        worker.submit("first")
        wait_until(notes.begun.is_set)
        worker.submit("second")
        notes.error = None
        wait_until(partial(has_synced, worker, 1))
        assert notes.done == ["second"]
        assert (worker.status.failures, worker.status.last_error) == (0, None)
