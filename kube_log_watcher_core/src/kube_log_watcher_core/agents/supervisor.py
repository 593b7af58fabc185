"""The agents at work: made from their settings, each with a worker, replaced when settings change."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.agents.answers import AgentReport, Question, ask_agent
from kube_log_watcher_core.agents.folder_lock import Claim, FolderLocks
from kube_log_watcher_core.agents.hold import Hold
from kube_log_watcher_core.agents.locked_start import LockedStart, folders_of
from kube_log_watcher_core.agents.status import AgentStatus
from kube_log_watcher_core.agents.sync_stats import SyncStats
from kube_log_watcher_core.agents.worker import Worker
from kube_log_watcher_core.configuration import ChosenAgent
from kube_log_watcher_core.errors import AgentConfigError
from kube_log_watcher_core.models import LogTarget, NodeContext, Work
from kube_log_watcher_core.reconcile import DrainRules
from kube_log_watcher_core.reconcile.agent_drain import AgentDrain
from kube_log_watcher_core.settings.masks import Masks

logger = logging.getLogger(__name__)


def make_agent(chosen: ChosenAgent, node: NodeContext) -> BaseAgent[Any]:
    """Make an agent and let it check whether it can work here.

    Raises
    ------
    AgentConfigError
        with the agent's name, when it can't be made or can't work here.
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


class _Syncing:
    """What an agent's worker calls: it adds the logs that still drain, and logs what changed."""

    def __init__(
        self,
        name: str,
        agent: BaseAgent[Any],
        *,
        drain: AgentDrain,
        claim: Claim,
        stats: SyncStats,
        clock: Callable[[], float],
    ) -> None:
        self._name = name
        self._agent = agent
        self._drain = drain
        self._claim = claim
        self._stats = stats
        self._hold = Hold(clock, longest_seconds=2 * agent.hold_seconds)
        self._last: Sequence[LogTarget] | None = None

    def __call__(self, handed: Handed, recheck: bool) -> bool:  # noqa: FBT001 - the worker's call
        draining = self._drain.still_to_read(handed.work.departed, handed.rules)
        targets = handed.work.targets
        if draining:
            targets = tuple(sorted([*targets, *draining], key=_by_id))
        changes = self._last is not None and targets != self._last
        self._hold.check(wanted=changes and self._drain.is_any_fresh)
        with self._stats.sync():
            self._sync(targets, recheck=recheck)
        before, self._last = self._last, targets
        if before is None or len(before) != len(targets):
            logger.info("agent %s follows %d logs%s", self._name, len(targets), _of_which(len(draining)))
        return targets != before

    def _sync(self, targets: Sequence[LogTarget], *, recheck: bool) -> None:
        self._claim.confirm()
        if recheck:
            self._agent.recheck()
        self._agent.sync(targets)
        self._stats.synced(targets)


def _by_id(target: LogTarget) -> str:
    return target.id


def _of_which(draining: int) -> str:
    return f", {draining} of them gone and still being read" if draining else ""


@attrs.frozen
class Handed:
    """What an agent is handed, and the rules of drains at that time."""

    work: Work
    rules: DrainRules


@attrs.frozen
class _Running:
    chosen: ChosenAgent
    node: NodeContext
    agent: BaseAgent[Any]
    drain: AgentDrain
    worker: Worker[Handed]
    start: LockedStart
    stats: SyncStats

    def status(self) -> AgentStatus:
        """Return how it is doing."""
        work = self.worker.status
        masks = Masks(self.chosen.settings)
        return AgentStatus(
            name=self.chosen.name,
            origin=self.chosen.origin,
            obstacle=self.start.claim.obstacle,
            busy_since=work.busy_since,
            last_success=work.last_success,
            last_error=None if work.last_error is None else masks.hide(work.last_error),
            failures=work.failures,
            syncs=self.stats.syncs,
            sync_seconds=self.stats.durations,
            latency_seconds=self.stats.latencies,
            drains=self.drain.tally,
        )

    def question(self) -> Question:
        """How it is asked about targets."""
        return Question(self.chosen.name, self.worker, self.start, Masks(self.chosen.settings))


class AgentWorkers:
    """All agents that the settings name, each in a thread of its own."""

    def __init__(
        self,
        *,
        locks: FolderLocks | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._locks = locks or FolderLocks()
        self._clock = clock
        self._wall = wall
        self._running: dict[str, _Running] = {}

    def status(self) -> tuple[AgentStatus, ...]:
        """Return how each agent is doing; from any thread."""
        return tuple(running.status() for running in tuple(self._running.values()))

    def set(self, agents: Iterable[ChosenAgent], node: NodeContext, *, state_dir: Path | None = None) -> None:
        """Make these the agents: unchanged ones work on, changed ones are replaced.

        The configuration of an agent that is no longer named stays on disk. An agent whose folders
        another watcher has begins when that one ends.

        Raises
        ------
        AgentConfigError
            naming every agent that can't work here; nothing has changed then.
        """
        wanted = {chosen.name: chosen for chosen in agents}
        fresh = [chosen for chosen in wanted.values() if not self._is_running(chosen, node)]
        made = self._make(fresh, node, state_dir)
        for running in made.values():
            # Before its predecessor lets go of them: another watcher must not slip in between.
            running.start.claim.take()
        for name in [name for name in self._running if name not in wanted or name in made]:
            self._stop_one(name, wait_seconds=1.0)
        for name, running in made.items():
            self._running[name] = running
            running.start.begin()

    def _is_running(self, chosen: ChosenAgent, node: NodeContext) -> bool:
        running = self._running.get(chosen.name)
        return running is not None and running.chosen == chosen and running.node == node

    def _make(
        self, fresh: Iterable[ChosenAgent], node: NodeContext, state_dir: Path | None
    ) -> dict[str, _Running]:
        made, failures = {}, []
        for chosen in fresh:
            try:
                agent = make_agent(chosen, node)
            except AgentConfigError as error:
                failures.append(str(error))
                continue
            made[chosen.name] = self._run(chosen, node, agent, folders_of(agent, state_dir))
        if failures:
            for name, running in made.items():
                close_agent(name, running.agent)
            raise AgentConfigError("\n".join(failures))
        return made

    def _run(
        self, chosen: ChosenAgent, node: NodeContext, agent: BaseAgent[Any], folders: Iterable[Path]
    ) -> _Running:
        name, stats = chosen.name, SyncStats(self._clock)
        claim = Claim(self._locks, folders)
        drain = AgentDrain(name, agent, wall=self._wall)
        worker = Worker(
            name,
            _Syncing(name, agent, drain=drain, claim=claim, stats=stats, clock=self._clock),
            prepare=agent.prepare,
            close=functools.partial(close_agent, name, agent),
            pause_seconds=agent.pause_seconds,
            clock=self._clock,
        )

        def start() -> None:
            stats.forget()
            worker.start()

        begin = LockedStart(f"agent {name}", claim, start, clock=self._clock)
        return _Running(chosen, node, agent, drain, worker, begin, stats)

    def submit(
        self, work: Work, rules: DrainRules, *, recheck: bool, new: Mapping[str, float] | None = None
    ) -> None:
        """Hand the latest to every agent; ``new`` tells since when new logs have been there."""
        present = {target.container.key for target in work.targets}
        for running in self._running.values():
            running.stats.expect(new or {}, present)
            running.worker.submit(Handed(work, rules), recheck=recheck)

    def finished(self) -> frozenset[str]:
        """Give the keys of the gone containers that no agent waits for any more."""
        done = [running.drain.finished for running in self._running.values()]
        return frozenset.intersection(*done) if done else frozenset()

    def reports(self, targets: Sequence[LogTarget]) -> Mapping[str, tuple[AgentReport, ...]]:
        """Ask every agent what it does about these, by their containers' keys; from any thread.

        It takes a second at most for each agent that is at work on something else.
        """
        running = tuple(self._running.values())
        told = [ask_agent(each.agent, each.question(), targets) for each in running]
        return {
            target.container.key: tuple(reports[index] for reports in told)
            for index, target in enumerate(targets)
        }

    def next_deadline(self) -> float | None:
        """Tell when an agent that is at work will count as hanging."""
        deadlines = (running.worker.slow_at() for running in self._running.values())
        return min((at for at in deadlines if at is not None), default=None)

    def report_slow(self, now: float) -> None:
        """Report agents that hang."""
        for running in self._running.values():
            running.worker.report_slow(now)

    def stop(self, *, wait_seconds: float) -> None:
        """Stop all; configuration stays on disk."""
        deadline = self._clock() + wait_seconds
        for name in list(self._running):
            self._stop_one(name, wait_seconds=max(deadline - self._clock(), 0.0))

    def _stop_one(self, name: str, *, wait_seconds: float) -> None:
        running = self._running.pop(name)
        if running.start.cancel():
            # Its thread begins only to end: there the agent lets go of what it holds.
            running.worker.stop(wait_seconds=0.0)
            running.worker.start()
        if running.worker.stop(wait_seconds=wait_seconds):
            running.start.claim.release()
        else:
            logger.warning("agent %s is left in the middle of a sync", name)
