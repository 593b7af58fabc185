"""What an agent tells of targets when somebody asks: what it has written, how far its shipper has read."""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.agents.status import AgentStatus
from kube_log_watcher_core.agents.worker import Worker
from kube_log_watcher_core.files import File, Item
from kube_log_watcher_core.models import LogFile, LogTarget, Objection, Progress
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


@attrs.frozen
class Question:
    """What agents are asked about one log."""

    target: LogTarget
    segments: Mapping[int, LogFile] = attrs.field(factory=dict)
    """Files of a log in the spool, by their numbers: its shipper reads these, and not the log itself."""


@attrs.frozen(kw_only=True)
class SegmentReading:
    """How far one agent's shipper has read one segment, by its own account."""

    number: int
    read_bytes: int
    read_at: float
    """When the shipper wrote that down, in epoch seconds."""


@attrs.frozen(kw_only=True)
class ObjectionReport:
    """What an agent doesn't do of what the pod asks for."""

    annotation: str
    reason: str
    remedy: str = ""
    holds: bool = False
    """Whether the log is not shipped for it."""


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
    segments: tuple[SegmentReading, ...] = ()
    """The same for the files of a log in the spool, where it gives an account."""
    objections: tuple[ObjectionReport, ...] = ()
    """What it doesn't do of what the pod asks for."""
    ending: str = ""
    """Of a log that is gone: how its shipper came to the end of it."""
    ended_well: bool = True
    """Whether nothing of such a log is known to have been lost."""
    is_waited_for: bool = False
    """Whether the log is kept out of its shipper's sight until the agent says that it may be seen."""


def ask_agent(
    agent: BaseAgent[Any],
    worker: Worker[Any],
    status: AgentStatus,
    masks: Masks,
    questions: Sequence[Question],
) -> list[AgentReport]:
    """Return what an agent does about each of these logs, asked in its own thread once it has begun."""
    silent = AgentReport(name=status.name, trouble=status.trouble)
    if not questions or not worker.status.begun:
        return [attrs.evolve(silent, trouble=silent.trouble or "it has not begun")] * len(questions)
    answer = worker.ask(lambda: [ask_directly(agent, question) for question in questions])
    try:
        told = answer.result(ANSWER_SECONDS)
    except concurrent.futures.TimeoutError:
        answer.cancel()
        return [attrs.evolve(silent, trouble=silent.trouble or "it is at work on a sync")] * len(questions)
    except Exception as error:  # noqa: BLE001 - an agent may raise anything; the others are still told
        trouble = masks.hide(f"it can't tell: {error!r}")
        return [attrs.evolve(silent, trouble=silent.trouble or trouble)] * len(questions)
    return [told_of(silent, each, masks) for each in told]


@attrs.frozen
class Told:
    """What an agent says of a log, secrets and all."""

    items: Sequence[Item]
    progress: Progress | None
    segments: Mapping[int, Progress]


def ask_directly(agent: BaseAgent[Any], question: Question) -> Told:
    """Ask an agent about a log, in the thread that it belongs to. May raise anything."""
    target = question.target
    found = {number: agent.read_up_to(target, file) for number, file in question.segments.items()}
    return Told(
        agent.describe(target),
        None if target.is_spooled else agent.read_up_to(target, LogFile(target.log_path)),
        {number: progress for number, progress in found.items() if progress is not None},
    )


def told_of(silent: AgentReport, told: Told, masks: Masks) -> AgentReport:
    """Return the report with what was written and read, without secrets."""
    progress = told.progress
    return attrs.evolve(
        silent,
        written=tuple(_written(item, masks) for item in told.items),
        read_bytes=None if progress is None else progress.read_bytes,
        read_at=None if progress is None else progress.at,
        segments=tuple(
            SegmentReading(number=number, read_bytes=each.read_bytes, read_at=each.at)
            for number, each in told.segments.items()
        ),
    )


def objection_reports(objections: Iterable[Objection]) -> tuple[ObjectionReport, ...]:
    """Return what people are told of an agent's objections."""
    return tuple(
        ObjectionReport(annotation=it.annotation, reason=it.reason, remedy=it.remedy, holds=it.holds)
        for it in objections
    )


def _written(item: Item, masks: Masks) -> WrittenReport:
    path = os.fsencode(item.path).decode("utf-8", "backslashreplace")
    if isinstance(item, File):
        content = masks.hide(item.content.decode("utf-8", "backslashreplace"))[:LONGEST_CONTENT]
        return WrittenReport(path=path, kind="file", content=content)
    target = os.fsencode(item.target).decode("utf-8", "backslashreplace")
    return WrittenReport(path=path, kind="link", content=target)
