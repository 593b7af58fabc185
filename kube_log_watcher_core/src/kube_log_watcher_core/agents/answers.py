"""What an agent tells of targets when somebody asks: what it has written, how far its shipper has read."""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.agents.status import AgentStatus
from kube_log_watcher_core.agents.worker import Worker
from kube_log_watcher_core.files import File, Item
from kube_log_watcher_core.models import LogFile, LogTarget, Progress
from kube_log_watcher_core.settings.masks import Masks

ANSWER_SECONDS = 1.0
"""How long an agent's answer is waited for: it is at work, or it hangs."""
LONGEST_CONTENT = 16 * 1024
"""Characters of a file that are told."""


@attrs.frozen(kw_only=True)
class WrittenReport:
    """A file or link that an agent has written about a container."""

    path: str
    kind: str
    """``file`` or ``link``."""
    content: str
    """A link's target; of a file what is about the container."""


@attrs.frozen(kw_only=True)
class AgentReport:
    """What one agent does about a container."""

    name: str
    trouble: str | None = None
    """Why what it wrote may be out of date, or can't be told."""
    written: tuple[WrittenReport, ...] = ()
    read_bytes: int | None = None
    """How far its shipper has read, by its own account; None when nobody knows."""
    read_at: float | None = None
    """When the shipper wrote that down, in epoch seconds."""


def ask_agent(
    agent: BaseAgent[Any],
    worker: Worker[Any],
    status: AgentStatus,
    masks: Masks,
    targets: Sequence[LogTarget],
) -> list[AgentReport]:
    """Return what an agent does about each of these targets, asked in its own thread once it has begun."""
    silent = AgentReport(name=status.name, trouble=status.trouble)
    if not targets or not worker.status.begun:
        return [attrs.evolve(silent, trouble=silent.trouble or "it has not begun")] * len(targets)
    answer = worker.ask(
        lambda: [
            (agent.describe(target), agent.read_up_to(target, LogFile(target.log_path))) for target in targets
        ]
    )
    try:
        told = answer.result(ANSWER_SECONDS)
    except concurrent.futures.TimeoutError:
        answer.cancel()
        return [attrs.evolve(silent, trouble=silent.trouble or "it is at work on a sync")] * len(targets)
    except Exception as error:  # noqa: BLE001 - an agent may raise anything; the others are still told
        trouble = masks.hide(f"it can't tell: {error!r}")
        return [attrs.evolve(silent, trouble=silent.trouble or trouble)] * len(targets)
    return [told_of(silent, items, progress, masks) for items, progress in told]


def told_of(
    silent: AgentReport, items: Iterable[Item], progress: Progress | None, masks: Masks
) -> AgentReport:
    """Return the report with what was written and read, without secrets."""
    return attrs.evolve(
        silent,
        written=tuple(_written(item, masks) for item in items),
        read_bytes=None if progress is None else progress.read_bytes,
        read_at=None if progress is None else progress.at,
    )


def _written(item: Item, masks: Masks) -> WrittenReport:
    path = os.fsencode(item.path).decode("utf-8", "backslashreplace")
    if isinstance(item, File):
        content = masks.hide(item.content.decode("utf-8", "backslashreplace"))[:LONGEST_CONTENT]
        return WrittenReport(path=path, kind="file", content=content)
    target = os.fsencode(item.target).decode("utf-8", "backslashreplace")
    return WrittenReport(path=path, kind="link", content=target)
