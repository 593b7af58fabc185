"""One agent: made and checked, then at work in a thread of its own, and closed there at its end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.agents.answers import AgentReport, Question, ask_agent, objection_reports
from kube_log_watcher_core.agents.endings import Ending, Endings
from kube_log_watcher_core.agents.folders import Claim, FolderLocks, Turn, folders_of
from kube_log_watcher_core.agents.objections import Objections
from kube_log_watcher_core.agents.readings import Readings
from kube_log_watcher_core.agents.status import AgentStatus
from kube_log_watcher_core.agents.sync_stats import SyncStats
from kube_log_watcher_core.agents.worker import POLL_SECONDS, NotNow, OnceMore, Worker
from kube_log_watcher_core.configuration import ChosenAgent
from kube_log_watcher_core.errors import AgentConfigError, PartlyFailed
from kube_log_watcher_core.models import Departed, LogTarget, NodeContext, Objection, Work
from kube_log_watcher_core.reconcile import AgentDrain, DrainRules, Evidence, Verdict, says_all_is_read
from kube_log_watcher_core.settings.kinds import LONGEST_SECONDS
from kube_log_watcher_core.settings.masks import Masks
from kube_log_watcher_core.spool import ClosedSegment, SpoolRules

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How soon to look again whether a log that holds back changes was read meanwhile."""
LEAST_SECONDS = 0.1
"""How soon an agent is called again at the soonest that has something left to do."""
PATIENCE_SECONDS = 1.0
"""How long a predecessor may take to end before its successor says that it waits."""


def make_agent(chosen: ChosenAgent, node: NodeContext) -> BaseAgent[Any]:
    """Make an agent and let it check whether it can work here.

    Raises `AgentConfigError` with the agent's name, when it can't be made or can't work here.
    """
    try:
        agent = chosen.agent_class(chosen.settings, node)
        agent.check()
        folders_of(agent, None)
    except AgentConfigError as error:
        raise AgentConfigError(f"agent {chosen.name}: {chosen.with_variables(str(error))}") from error
    except (Exception, SystemExit) as error:  # somebody's agent may raise anything, on a reload too
        logger.debug("agent %s can't be made", chosen.name, exc_info=True)
        raise AgentConfigError(f"agent {chosen.name} can't work here: {error!r}") from error
    return agent


def close_agent(name: str, agent: BaseAgent[Any]) -> None:
    """Let an agent give back what it holds, whatever that raises."""
    try:
        agent.close()
    except (Exception, SystemExit):  # somebody's agent may raise anything; the others go on
        logger.exception("agent %s failed to let go of its resources", name)


@attrs.frozen
class Handed:
    """What an agent is handed, and the rules of drains at that time."""

    work: Work
    rules: DrainRules
    closed: tuple[ClosedSegment, ...] = ()
    """Segments of the spool that the agents are asked about."""
    spool_rules: SpoolRules = attrs.field(factory=SpoolRules)
    at: float = 0.0
    """Seconds since the epoch."""


class RunningAgent:
    """An agent with a thread of its own, which begins when nobody else is at work on its folders.

    It is made in whatever thread prepares the settings; `begin`, `submit` and `stop` are the main
    thread's, and return at once. Any thread may ask for `status` and `reports`.

    Parameters
    ----------
    state_dir
        stands for the folders of an agent that writes no files.
    on_ready
        is called from its thread when its shipper may see further logs.
    on_objections
        is called from its thread, with its name, with all that it objects to.

    Raises `AgentConfigError` when the agent can't work here.
    """

    def __init__(
        self,
        chosen: ChosenAgent,
        node: NodeContext,
        *,
        locks: FolderLocks,
        state_dir: Path | None,
        clock: Callable[[], float],
        on_ready: Callable[[], None] = lambda: None,
        on_objections: Callable[[str, Sequence[Objection]], None] = lambda _name, _found: None,
    ) -> None:
        self.chosen = chosen
        self.node = node
        self._clock = clock
        self._agent = agent = make_agent(chosen, node)
        self._claim = Claim(locks, folders_of(agent, state_dir))
        self._turn = Turn(f"agent {chosen.name}", self._claim, clock=clock)
        self.endings = Endings()
        self._drain = AgentDrain(chosen.name, agent, clock=clock, on_end=self._note_end)
        self.readings = Readings(chosen.name, agent, endings=self.endings)
        self._objections = Objections(chosen.name, agent, tell=on_objections)
        self.ready: frozenset[str] | None = frozenset() if agent.gates else None
        """Keys of the logs that its shipper may see; None when it does not wait to be told of them."""
        self._on_ready = on_ready
        self._stats = SyncStats(clock)
        self._hold = Hold(clock, longest_seconds=2 * agent.pacing.hold_seconds)
        self._predecessors: tuple[RunningAgent, ...] = ()
        self._waiting_since: float | None = None
        self._told_of_predecessor = False
        self._last: Sequence[LogTarget] | None = None
        self._asked: tuple[ClosedSegment, ...] = ()
        """The closed segments that it was asked about last: each list of them is asked about once."""
        self._is_any_left = False
        """Whether the agent has not done all that it was handed."""
        self._worker = Worker(
            chosen.name,
            self._sync,
            ready=self._may_begin,
            prepare=agent.prepare,
            close=self._close,
            pause_seconds=agent.pacing.pause_seconds,
            clock=clock,
        )

    # ------------------------------------------------------------------ its life

    def start(self) -> None:
        """Have its folders, if no other watcher has them, and a thread, which waits for `begin`."""
        # Before its predecessor lets go of them: another watcher must not slip in between.
        self._claim.take()
        self._worker.start()

    def begin(self, *, after: Collection[RunningAgent] = ()) -> None:
        """Work from now on, as soon as those before it have ended."""
        self._predecessors = tuple(before for before in after if self._follows(before))
        self._waiting_since = self._clock()
        self._worker.begin()

    def expect(self, new: Mapping[str, float], present: Collection[str]) -> None:
        """Measure how soon new logs are followed, by their keys since when they have been there."""
        self._stats.expect(new, present)

    def submit(self, handed: Handed, *, recheck: bool) -> None:
        """Hand over the latest."""
        self._worker.submit(handed, recheck=recheck)

    def stop(self, *, wait_seconds: float = 0.0) -> bool:
        """Let the sync that goes on be the last one; whether it has ended within that time."""
        return self._worker.stop(wait_seconds=wait_seconds)

    def _follows(self, before: RunningAgent) -> bool:
        return before.chosen.name == self.chosen.name or before._claim.shares(self._claim)

    # ------------------------------------------------------------------ in its thread

    def _may_begin(self) -> bool:
        """Whether nobody else is at work on its folders, neither a predecessor nor another watcher."""
        for before in self._predecessors:
            if not before.stop(wait_seconds=POLL_SECONDS):
                since = self._waiting_since
                is_long = since is not None and self._clock() - since >= PATIENCE_SECONDS
                if is_long and not self._told_of_predecessor:
                    self._told_of_predecessor = True
                    text = "agent %s waits: the one before it is still in the middle of a sync"
                    logger.warning(text, self.chosen.name)
                return False
        self._predecessors, self._waiting_since = (), None
        if not self._turn():
            return False
        if self._turn.waited:
            self._stats.forget()  # the other watcher took care of what was new
        return True

    def _sync(self, handed: Handed, recheck: bool) -> bool:  # noqa: FBT001 - the worker's call
        """Hand the agent all targets, those that still drain among them; whether there was anything new."""
        draining = self._drain.still_to_read(handed.work.departed, handed.rules)
        targets = handed.work.targets
        if draining:
            targets = tuple(sorted([*targets, *draining], key=lambda target: target.id))
        before = self._last
        news = targets != before
        self._hold.check(wanted=news and before is not None and self._drain.is_any_fresh)
        again = None
        if news or recheck or self._is_any_left:
            again = self._call(targets, twice=recheck and news and before is not None)
        else:
            self._open_gate(targets)
        if handed.closed and handed.closed is not self._asked:
            self._asked = handed.closed
            known = {target.container.key: target for target in targets}
            self.readings.look(known, handed.closed, handed.spool_rules, now=handed.at)
        if before is None or len(before) != len(targets):
            gone = f", {len(draining)} of them gone and still being read" if draining else ""
            logger.info("agent %s follows %d logs%s", self.chosen.name, len(targets), gone)
        if again is not None:
            raise OnceMore(again, news=news)
        return news

    def _call(self, targets: Sequence[LogTarget], *, twice: bool) -> float | None:
        """Have the agent do its work; in how many seconds it wants to be called again.

        Twice with the same list: the second time it looks at what is really there.
        """
        self._is_any_left = True
        try:
            with self._stats.sync():
                self._claim.confirm()
                again: object = self._agent.sync(targets)
                if twice:
                    again = self._agent.sync(targets)
        except PartlyFailed:
            # All others are followed: what comes next is compared with these.
            self._note(targets)
            raise
        self._note(targets)
        # Somebody's agent may return anything.
        if not isinstance(again, int | float) or isinstance(again, bool):
            self._is_any_left = False
            return None
        return min(max(LEAST_SECONDS, again), LONGEST_SECONDS)

    def _note(self, targets: Sequence[LogTarget]) -> None:
        """Note that these are followed from now on."""
        self._last = targets
        self._stats.synced(targets)
        self._open_gate(targets)
        self._objections.look(targets)

    def _open_gate(self, targets: Sequence[LogTarget]) -> None:
        """Let the spool show the logs of which the agent says that its shipper knows all that it needs."""
        if self.ready is None:
            return
        before, self.ready = self.ready, frozenset(it.container.key for it in self._agent.ready(targets))
        if not self.ready <= before:
            self._on_ready()

    def _note_end(self, departed: Departed, verdict: Verdict, evidence: Evidence) -> None:
        left = evidence.bytes_left(departed) if verdict is Verdict.GIVEN_UP else 0
        ending = Ending(by_account=says_all_is_read(departed, evidence), bytes_left=left)
        self.endings.note(departed.target.container.key, ending)

    def _close(self) -> None:
        close_agent(self.chosen.name, self._agent)
        self._claim.release()

    # ------------------------------------------------------------------ how it is doing

    @property
    def finished(self) -> frozenset[tuple[str, float]]:
        """The drains that it does not wait for any more, as `Departed.drain` names them."""
        return self._drain.finished

    @property
    def ended(self) -> bool:
        """Whether its thread has ended, and given its folders back."""
        return self._worker.ended

    def slow_at(self) -> float | None:
        """Tell when the sync that goes on will count as hanging; None when idle or reported."""
        return self._worker.slow_at()

    def report_slow(self, now: float) -> None:
        """Say it once when a sync takes suspiciously long."""
        self._worker.report_slow(now)

    def status(self) -> AgentStatus:
        """Return how it is doing."""
        work = self._worker.status
        error = work.last_error
        return AgentStatus(
            name=self.chosen.name,
            origin=self.chosen.origin,
            obstacle=self._claim.obstacle,
            predecessor_since=self._waiting_since if self._told_of_predecessor else None,
            busy_since=work.busy_since,
            last_success=work.last_success,
            last_error=None if error is None else Masks(self.chosen.settings).hide(error),
            failures=work.failures,
            syncs=self._stats.syncs,
            sync_seconds=self._stats.durations,
            latency_seconds=self._stats.latencies,
            drains=self._drain.tally,
            held=self._objections.held,
        )

    def reports(self, questions: Sequence[Question]) -> list[AgentReport]:
        """Return what it does about each of these logs; it takes a second at most."""
        masks, ready, objections = Masks(self.chosen.settings), self.ready, self._objections.by_key
        reports = ask_agent(self._agent, self._worker, self.status(), masks, questions)
        keys = [question.target.container.key for question in questions]
        return [
            attrs.evolve(
                report,
                objections=objection_reports(objections.get(key, ())),
                is_waited_for=ready is not None and key not in ready,
            )
            for key, report in zip(keys, reports, strict=True)
        ]


class Hold:
    """Holds back changes while a shipper may be reading a log that is gone, each for a bounded time.

    Where one log goes after the other, changes must not wait for ever: a new log that is rotated
    before it is configured loses its beginning.
    """

    def __init__(self, clock: Callable[[], float], *, longest_seconds: float) -> None:
        self._clock = clock
        self._longest = longest_seconds
        self._since: float | None = None

    def check(self, *, wanted: bool) -> None:
        """Begin or end a hold.

        Raises `NotNow` while it lasts.
        """
        if not wanted:
            self._since = None
            return
        now = self._clock()
        if self._since is None:
            self._since = now
        if now - self._since < self._longest:
            raise NotNow(LOOK_SECONDS)
        self._since = None
