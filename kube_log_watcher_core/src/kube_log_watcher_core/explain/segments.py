"""What is told of one log in the spool: its files, who waits for it, and why it may not be there."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kube_log_watcher_core.agents import AgentReport, Question
from kube_log_watcher_core.explain.documents import SegmentReport, SpoolReport
from kube_log_watcher_core.models import LogFile, LogTarget
from kube_log_watcher_core.spool import Segment, Spooled, SpoolView

MOST_SEGMENTS = 20
"""So many of one log are told and asked about: the oldest, which are to be read first, and the newest."""


def question_about(target: LogTarget, spool: SpoolView) -> Question:
    """Return what agents are asked about a log: of one in the spool, how far each file is read."""
    log = spool.logs.get(target.container.key)
    if log is None or not log.shown or not target.is_spooled:
        return Question(target)
    return Question(
        target,
        {each.number: LogFile(target.file(log.path(each).name), each.inode) for each in _some(log.segments)},
    )


def spool_report_of(key: str, spool: SpoolView, agents: Sequence[AgentReport]) -> SpoolReport | None:
    """Return what the spool has of a container's log; None where nothing is to be said."""
    log = spool.logs.get(key)
    if log is None:
        why = spool.by_path.get(key)
        return None if why is None else SpoolReport(state="by-path", detail=why)
    told = _some(log.segments)
    return SpoolReport(
        state="shown" if log.shown else "waiting",
        waits_for=() if log.shown else tuple(agent.name for agent in agents if agent.is_waited_for),
        trouble=log.trouble,
        segments=tuple(_segment(log, each) for each in told),
        left_out=len(log.segments) - len(told),
    )


def _some(segments: Sequence[Segment]) -> Sequence[Segment]:
    if len(segments) <= MOST_SEGMENTS:
        return segments
    return (*segments[: MOST_SEGMENTS // 2], *segments[-MOST_SEGMENTS // 2 :])


def _segment(log: Spooled, segment: Segment) -> SegmentReport:
    path = log.path(segment)
    shown = os.fsencode(path).decode("utf-8", "backslashreplace")
    try:
        status = os.stat(path, follow_symlinks=False)
    except OSError:  # it may have been removed this moment
        return SegmentReport(number=segment.number, path=shown, closed=segment.closed)
    return SegmentReport(
        number=segment.number,
        path=shown,
        bytes=status.st_size,
        closed=segment.closed,
        is_held_alone=status.st_nlink == 1,
    )
