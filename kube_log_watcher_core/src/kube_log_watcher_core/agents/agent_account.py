"""What one agent tells of targets and of itself, for people; without its secrets."""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Sequence
from typing import Any

import attrs

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.agents.locked_start import LockedStart
from kube_log_watcher_core.agents.worker import Worker, WorkerStatus
from kube_log_watcher_core.files import File, Item
from kube_log_watcher_core.models import LogTarget, Progress
from kube_log_watcher_core.observe.report import AgentReport, AgentStatus, WrittenReport
from kube_log_watcher_core.observe.snapshot import AgentSnapshot
from kube_log_watcher_core.settings.masks import Masks

ANSWER_SECONDS = 1.0
"""How long an agent's answer is waited for: it is at work, or it hangs."""
LONGEST_CONTENT = 16 * 1024
"""Characters of a file that are told."""


@attrs.frozen
class Question:
    """How an agent is asked: in its own thread, where it may have begun."""

    name: str
    worker: Worker[Any]
    start: LockedStart
    masks: Masks

    @property
    def trouble(self) -> str | None:
        """Why what it has written may be out of date."""
        if self.start.claim.obstacle is not None:
            return f"it waits: another watcher is at work on {self.start.claim.obstacle}"
        error = self.worker.status.last_error
        return None if error is None else self.masks.hide(f"its last sync failed: {error}")


def ask_agent(agent: BaseAgent[Any], question: Question, targets: Sequence[LogTarget]) -> list[AgentReport]:
    """Give what an agent does about each of these targets."""
    silent = AgentReport(name=question.name, trouble=question.trouble)
    if not targets or not question.start.started:
        return [attrs.evolve(silent, trouble=silent.trouble or "it has not begun")] * len(targets)
    answer = question.worker.ask(lambda: [_account(agent, target) for target in targets])
    try:
        told = answer.result(ANSWER_SECONDS)
    except concurrent.futures.TimeoutError:
        answer.cancel()
        return [attrs.evolve(silent, trouble=silent.trouble or "it is at work on a sync")] * len(targets)
    except Exception as error:  # noqa: BLE001 - an agent may raise anything; the others are still told
        trouble = question.masks.hide(f"it can't tell: {error!r}")
        return [attrs.evolve(silent, trouble=silent.trouble or trouble)] * len(targets)
    return [_report(silent, items, progress, question.masks) for items, progress in told]


def _account(agent: BaseAgent[Any], target: LogTarget) -> tuple[Sequence[Item], Progress | None]:
    return agent.describe(target), agent.read_up_to(target)


def _report(
    silent: AgentReport, items: Sequence[Item], progress: Progress | None, masks: Masks
) -> AgentReport:
    return attrs.evolve(
        silent,
        written=tuple(written(item, masks) for item in items),
        read_bytes=None if progress is None else progress.read_bytes,
        read_at=None if progress is None else progress.at,
    )


def written(item: Item, masks: Masks) -> WrittenReport:
    """Tell of a file or link, without secrets."""
    path = os.fsencode(item.path).decode("utf-8", "backslashreplace")
    if isinstance(item, File):
        content = masks.hide(item.content.decode("utf-8", "backslashreplace"))[:LONGEST_CONTENT]
        return WrittenReport(path=path, kind="file", content=content)
    target = os.fsencode(item.target).decode("utf-8", "backslashreplace")
    return WrittenReport(path=path, kind="link", content=target)


def status_of(
    snapshot: AgentSnapshot, worker: WorkerStatus, masks: Masks, *, origin: str, now: float
) -> AgentStatus:
    """Tell how an agent is doing."""
    return AgentStatus(
        name=snapshot.name,
        origin=origin,
        state=_state(snapshot),
        synced_seconds_ago=None if worker.last_success is None else now - worker.last_success,
        busy_seconds=None if snapshot.busy_since is None else now - snapshot.busy_since,
        failures=snapshot.failures,
        error=None if worker.last_error is None else masks.hide(worker.last_error),
        obstacle=None if snapshot.obstacle is None else str(snapshot.obstacle),
        draining=snapshot.drains.draining,
        bytes_left=snapshot.drains.bytes_left,
    )


def _state(snapshot: AgentSnapshot) -> str:
    if snapshot.obstacle is not None:
        return "waiting"
    if snapshot.failures:
        return "failing"
    if snapshot.busy_since is not None:
        return "busy"
    return "ok" if snapshot.synced else "starting"
