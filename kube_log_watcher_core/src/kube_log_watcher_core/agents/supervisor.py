"""All agents: made beside those that run, put in their place at once, handed the latest, and stopped."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.agents.answers import AgentReport, Question
from kube_log_watcher_core.agents.folders import FolderLocks
from kube_log_watcher_core.agents.running import Handed, RunningAgent
from kube_log_watcher_core.agents.status import AgentStatus
from kube_log_watcher_core.configuration import ChosenAgent
from kube_log_watcher_core.errors import AgentConfigError
from kube_log_watcher_core.models import NodeContext, Objection
from kube_log_watcher_core.spool import SegmentKey

logger = logging.getLogger(__name__)


@attrs.frozen
class NewAgents:
    """Agents that are made and checked, and wait for their turn."""

    names: frozenset[str]
    """All that there are to be, also those that work on."""
    made: tuple[RunningAgent, ...]

    def discard(self) -> None:
        """Let go of them: they are not wanted after all."""
        for agent in self.made:
            agent.stop()


class Supervisor:
    """Sees to it that the agents that the settings name are at work, each in a thread of its own."""

    def __init__(
        self,
        *,
        locks: FolderLocks | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_ready: Callable[[], None] = lambda: None,
        on_objections: Callable[[str, Sequence[Objection]], None] = lambda _name, _found: None,
    ) -> None:
        self._locks = locks or FolderLocks()
        self._clock = clock
        self._on_ready = on_ready
        self._on_objections = on_objections
        self._running: dict[str, RunningAgent] = {}
        self._leaving: tuple[RunningAgent, ...] = ()
        """Asked to end, and still in the middle of a sync."""

    # ------------------------------------------------------------------ settings

    def prepare(
        self,
        agents: Iterable[ChosenAgent],
        node: NodeContext,
        *,
        state_dir: Path | None = None,
        tell: Callable[[str], None] = lambda _doing: None,
    ) -> NewAgents:
        """Make and check the agents that are new or have changed; those at work are not touched.

        Any thread may do that, which takes as long as the slowest of them; ``tell`` is told what it is
        about to do.
        Raises `AgentConfigError` naming every agent that can't work here.
        """
        wanted = {chosen.name: chosen for chosen in agents}
        failures = []
        with contextlib.ExitStack() as undo:
            made = []
            for chosen in wanted.values():
                running = self._running.get(chosen.name)
                if running is not None and running.chosen == chosen and running.node == node:
                    continue
                tell(f"agent {chosen.name} is made and checked")
                try:
                    made.append(self._make(chosen, node, state_dir))
                except AgentConfigError as error:
                    failures.append(str(error))
                else:
                    undo.callback(made[-1].stop)
            if failures:
                raise AgentConfigError("\n".join(failures))
            for agent in made:
                agent.start()
            undo.pop_all()
        return NewAgents(frozenset(wanted), tuple(made))

    def _make(self, chosen: ChosenAgent, node: NodeContext, state_dir: Path | None) -> RunningAgent:
        try:
            return RunningAgent(
                chosen,
                node,
                locks=self._locks,
                state_dir=state_dir,
                clock=self._clock,
                on_ready=self._on_ready,
                on_objections=self._on_objections,
            )
        except AgentConfigError:
            raise
        except (Exception, SystemExit) as error:  # what somebody's agent says of itself may raise anything
            logger.debug("agent %s can't be made", chosen.name, exc_info=True)
            raise AgentConfigError(f"agent {chosen.name} can't work here: {error!r}") from error

    def take(self, new: NewAgents) -> None:
        """Put these to work: unchanged ones go on, changed ones are replaced.

        An agent begins when the one before it has ended, and when no other watcher has its folders. The
        configuration of an agent that is no longer named stays on disk.
        """
        made = {agent.chosen.name: agent for agent in new.made}
        for name in self._running.keys() - new.names:
            self._on_objections(name, ())
        gone = [name for name in self._running if name not in new.names or name in made]
        leaving = [*self._leaving, *(self._running.pop(name) for name in gone)]
        self._leaving = tuple(agent for agent in leaving if not agent.stop())
        for name, agent in made.items():
            self._running[name] = agent
            agent.begin(after=self._leaving)

    # ------------------------------------------------------------------ work

    def submit(self, handed: Handed, *, recheck: bool, new: Mapping[str, float] | None = None) -> None:
        """Hand the latest to every agent; ``new`` tells since when new logs have been there."""
        present = {target.container.key for target in handed.work.targets}
        for running in self._running.values():
            running.expect(new or {}, present)
            running.submit(handed, recheck=recheck)

    def ready(self) -> frozenset[str] | None:
        """Return the keys of the logs that every shipper may see; None when none waits to be told of them."""
        gates = [running.ready for running in self._running.values() if running.ready is not None]
        return frozenset.intersection(*gates) if gates else None

    def segments_read(self) -> tuple[frozenset[SegmentKey], Mapping[SegmentKey, int]]:
        """Return the segments that no shipper needs any more, and how far the slowest has read others."""
        readings = [running.readings for running in self._running.values()]
        if not readings:
            return frozenset(), {}
        read_bytes: dict[SegmentKey, int] = {}
        for reading in readings:
            for key, count in reading.read_bytes.items():
                read_bytes[key] = min(count, read_bytes.get(key, count))
        return frozenset.intersection(*(reading.done for reading in readings)), read_bytes

    def finished(self) -> frozenset[tuple[str, float]]:
        """Return the drains that no agent waits for any more, as `Departed.drain` names them."""
        done = [running.finished for running in self._running.values()]
        return frozenset.intersection(*done) if done else frozenset()

    def next_deadline(self) -> float | None:
        """Tell when an agent that is at work will count as hanging."""
        deadlines = (agent.slow_at() for agent in (*self._running.values(), *self._leaving))
        return min((at for at in deadlines if at is not None), default=None)

    def report_slow(self, now: float) -> None:
        """Report agents that hang."""
        self._leaving = tuple(agent for agent in self._leaving if not agent.ended)
        for agent in (*self._running.values(), *self._leaving):
            agent.report_slow(now)

    def stop(self, *, wait_seconds: float) -> None:
        """Stop all; configuration stays on disk."""
        deadline = self._clock() + wait_seconds
        agents = (*self._running.values(), *self._leaving)
        self._running, self._leaving = {}, ()
        for agent in agents:
            agent.stop()
        for agent in agents:
            if not agent.stop(wait_seconds=max(deadline - self._clock(), 0.0)):
                logger.warning("agent %s is left in the middle of a sync", agent.chosen.name)

    # ------------------------------------------------------------------ questions, from any thread

    def status(self) -> tuple[AgentStatus, ...]:
        """Return how each agent is doing."""
        return tuple(running.status() for running in tuple(self._running.values()))

    def reports(self, questions: Sequence[Question]) -> Mapping[str, tuple[AgentReport, ...]]:
        """Ask every agent what it does about these, by their containers' keys.

        It takes a second at most for each agent that is at work on something else.
        """
        told = [running.reports(questions) for running in tuple(self._running.values())]
        return {
            question.target.container.key: tuple(reports[index] for reports in told)
            for index, question in enumerate(questions)
        }

    def endings(self, key: str) -> tuple[AgentReport, ...]:
        """Return how each agent's shipper came to the end of a log that is gone, by its container's key."""
        found = [(name, running.endings.by_key.get(key)) for name, running in tuple(self._running.items())]
        return tuple(
            AgentReport(name=name, ending=str(ending), ended_well=ending.is_good)
            for name, ending in found
            if ending is not None
        )
