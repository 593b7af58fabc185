"""When an agent at work is called: for what is new, for a comparison with what is there, for what is left."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import AgentError, BaseAgent, LogFile, LogTarget, NodeContext, Progress
from kube_log_watcher_core.agent import sync_to_the_end
from kube_log_watcher_core.agents.folders import FolderLocks
from kube_log_watcher_core.agents.running import Handed, RunningAgent
from kube_log_watcher_core.configuration import ChosenAgent
from kube_log_watcher_core.models import Work
from kube_log_watcher_core.reconcile import DrainRules
from kube_log_watcher_core.spool import ClosedSegment
from kube_log_watcher_testing.factories import make_container, make_spooled, make_target
from support import wait_until

RULES = DrainRules(seconds=300, max_seconds=900)
ONE, TWO, THREE = (make_target(make_container(number=number)) for number in (1, 2, 3))


@attrs.frozen
class NoSettings:
    """It needs none."""


class Asked(BaseAgent[NoSettings]):
    """Notes what it is handed, and answers what the test has laid out."""

    settings_class = NoSettings

    def __init__(self, settings: NoSettings, node: NodeContext) -> None:
        super().__init__(settings, node)
        self.calls: list[Sequence[LogTarget]] = []
        self.answers: list[float | Exception | None] = []
        self.asked: list[LogFile] = []

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        self.asked.append(file)
        return None

    def sync(self, targets: Sequence[LogTarget]) -> float | None:
        self.calls.append(targets)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


class AtWork:
    """Such an agent at work."""

    def __init__(self, running: RunningAgent, agent: Asked) -> None:
        self._running = running
        self._agent = agent

    @property
    def calls(self) -> list[Sequence[LogTarget]]:
        return list(self._agent.calls)

    def answer(self, *answers: float | Exception | None) -> None:
        self._agent.answers = list(answers)

    @property
    def asked(self) -> list[LogFile]:
        return list(self._agent.asked)

    def hand(
        self, *targets: LogTarget, recheck: bool = False, closed: tuple[ClosedSegment, ...] = ()
    ) -> None:
        """Hand targets over, and wait until they were taken."""
        before = self._running.status().last_success
        self._running.submit(Handed(Work(targets), RULES, closed), recheck=recheck)
        wait_until(lambda: self._running.status().last_success != before)

    def hand_without_success(self, *targets: LogTarget) -> None:
        self._running.submit(Handed(Work(targets), RULES), recheck=False)
        wait_until(lambda: self._running.status().failures)


@contextmanager
def at_work(folder: Path) -> Iterator[AtWork]:
    chosen = ChosenAgent("asked", Asked, NoSettings())
    running = RunningAgent(chosen, NodeContext(), locks=FolderLocks(), state_dir=folder, clock=time.monotonic)
    agent = running._agent
    assert isinstance(agent, Asked)
    running.start()
    running.begin()
    try:
        yield AtWork(running, agent)
    finally:
        assert running.stop(wait_seconds=30)


def test_about_each_list_of_closed_segments_it_is_asked_once(tmp_path: Path) -> None:
    """The same list comes with every pass, until it is time to ask again."""
    spooled = make_spooled(ONE, tmp_path)
    path = Path(spooled.pattern.replace("*", "1795577286"))
    path.parent.mkdir()
    path.write_text("a line\n")
    closed = (ClosedSegment(ONE.container.key, 1795577286, path, path.stat().st_ino, 1000.0),)
    with at_work(tmp_path) as work:
        for _ in range(20):
            work.hand(spooled, closed=closed)
        assert work.asked == [LogFile(path, closed[0].inode)]
        work.hand(spooled, closed=(closed[0],))
        assert len(work.asked) == 2


def test_a_list_that_has_not_changed_is_not_handed_over_again(tmp_path: Path) -> None:
    with at_work(tmp_path) as work:
        work.hand(ONE)
        work.hand(ONE)
        work.hand(ONE, TWO)
        work.hand(ONE, TWO)
        assert work.calls == [(ONE,), (ONE, TWO)]


def test_at_a_full_pass_an_agent_has_been_handed_the_same_list_twice(tmp_path: Path) -> None:
    with at_work(tmp_path) as work:
        work.hand(ONE, recheck=True)
        assert work.calls == [(ONE,)]
        work.hand(ONE, recheck=True)
        assert work.calls == [(ONE,)] * 2
        work.hand(TWO, recheck=True)
        assert work.calls == [(ONE,)] * 2 + [(TWO,)] * 2


def test_an_agent_that_has_something_left_is_called_again_by_itself(tmp_path: Path) -> None:
    with at_work(tmp_path) as work:
        work.answer(0.0, 0.0, None)
        work.hand(ONE)
        wait_until(lambda: len(work.calls) == 3)
        work.hand(ONE)
        assert work.calls == [(ONE,)] * 3


def test_newer_work_does_not_wait_for_what_is_left(tmp_path: Path) -> None:
    with at_work(tmp_path) as work:
        work.answer(3600.0)
        work.hand(ONE)
        work.hand(ONE, TWO)
        assert work.calls == [(ONE,), (ONE, TWO)]


@pytest.mark.parametrize("odd", [float("nan"), -5.0, True, "soon"])
def test_an_odd_answer_does_no_harm(tmp_path: Path, odd: float) -> None:
    with at_work(tmp_path) as work:
        work.answer(odd)
        work.hand(ONE)
        work.hand(TWO)
        assert work.calls[-1] == (TWO,)


def test_what_failed_is_tried_again_with_the_same_list(tmp_path: Path) -> None:
    with at_work(tmp_path) as work:
        work.hand(ONE)
        work.answer(AgentError("the disk is full"))
        work.hand_without_success(TWO)
        wait_until(lambda: work.calls == [(ONE,), (TWO,), (TWO,)])


def test_back_to_the_list_before_a_failure_is_a_change_too(tmp_path: Path) -> None:
    """Nobody knows what the failure has left."""
    with at_work(tmp_path) as work:
        work.hand(ONE)
        work.answer(AgentError("the disk is full"))
        work.hand_without_success(TWO)
        work.hand(ONE)
        assert work.calls[-1] == (ONE,)


def test_a_command_that_looks_once_calls_until_nothing_is_left() -> None:
    agent, between = Asked(NoSettings(), NodeContext()), []
    agent.answers = [0.0, 0.5, None]
    sync_to_the_end(agent, [ONE], between=lambda: between.append(1))
    assert len(agent.calls) == 3
    assert len(between) == 2
    agent.answers = [60.0, None]
    sync_to_the_end(agent, [ONE])
    assert len(agent.calls) == 4
