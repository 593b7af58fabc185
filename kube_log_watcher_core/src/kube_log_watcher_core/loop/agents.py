"""The agents at work: made from their settings, each with a worker, replaced when settings change."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.configuration import ChosenAgent
from kube_log_watcher_core.errors import AgentConfigError, AgentError
from kube_log_watcher_core.models import LogTarget, NodeContext
from kube_log_watcher_core.reconcile import Worker, WorkerStatus

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
    except AgentConfigError as error:
        raise AgentConfigError(f"agent {chosen.name}: {chosen.with_variables(str(error))}") from error
    except (AgentError, OSError, ValueError) as error:
        raise AgentConfigError(f"agent {chosen.name} can't work here: {error!r}") from error
    return agent


def _syncing(name: str, agent: BaseAgent[Any]) -> Callable[[Sequence[LogTarget], bool], None]:
    """Give the worker's call; it logs what changed for this agent."""
    last: list[int] = []

    def sync(targets: Sequence[LogTarget], recheck: bool) -> None:  # noqa: FBT001 - the worker's call
        if recheck:
            agent.recheck()
        agent.sync(targets)
        if last != [len(targets)]:
            last[:] = [len(targets)]
            logger.info("agent %s follows %d logs", name, len(targets))

    return sync


@attrs.frozen
class _Running:
    chosen: ChosenAgent
    node: NodeContext
    agent: BaseAgent[Any]
    worker: Worker


class AgentWorkers:
    """All agents that the settings name, each in a thread of its own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._running: dict[str, _Running] = {}

    def status(self) -> tuple[WorkerStatus, ...]:
        """How each agent is doing."""
        return tuple(running.worker.status for running in self._running.values())

    def set(self, agents: Iterable[ChosenAgent], node: NodeContext) -> None:
        """Make these the agents: unchanged ones work on, changed ones are replaced.

        The configuration of an agent that is no longer named stays on disk.

        Raises
        ------
        AgentConfigError
            naming every agent that can't work here; nothing has changed then.
        """
        wanted = {chosen.name: chosen for chosen in agents}
        fresh = [chosen for chosen in wanted.values() if not self._is_running(chosen, node)]
        made = self._make(fresh, node)
        for name in [name for name in self._running if name not in wanted or name in made]:
            self._stop_one(name, wait_seconds=1.0)
        for name, running in made.items():
            self._running[name] = running
            running.worker.start()

    def _is_running(self, chosen: ChosenAgent, node: NodeContext) -> bool:
        running = self._running.get(chosen.name)
        return running is not None and running.chosen == chosen and running.node == node

    def _make(self, fresh: Iterable[ChosenAgent], node: NodeContext) -> dict[str, _Running]:
        made, failures = {}, []
        for chosen in fresh:
            try:
                agent = make_agent(chosen, node)
            except AgentConfigError as error:
                failures.append(str(error))
                continue
            worker = Worker(chosen.name, _syncing(chosen.name, agent), first=agent.prepare, clock=self._clock)
            made[chosen.name] = _Running(chosen, node, agent, worker)
        if failures:
            raise AgentConfigError("\n".join(failures))
        return made

    def submit(self, targets: Sequence[LogTarget], *, recheck: bool) -> None:
        """Hand the latest targets to every agent."""
        for running in self._running.values():
            running.worker.submit(targets, recheck=recheck)

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
        if running.worker.stop(wait_seconds=wait_seconds):
            running.agent.close()
        else:
            logger.warning("agent %s is left in the middle of a sync", name)
