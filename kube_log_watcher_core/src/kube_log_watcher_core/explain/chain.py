"""The chain of decisions for containers that somebody asks about, made from one moment's facts."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path

import attrs

from kube_log_watcher_core.agents import AgentReport, Question
from kube_log_watcher_core.annotations import PREFIX
from kube_log_watcher_core.discovery import size_of_log
from kube_log_watcher_core.explain.documents import (
    ContainerReport,
    Explanation,
    PodReport,
    SegmentReport,
    SpoolReport,
)
from kube_log_watcher_core.explain.gone import Gone, LastGone
from kube_log_watcher_core.explain.query import Query
from kube_log_watcher_core.explain.remedies import REMEDIES
from kube_log_watcher_core.models import Container, Departed, LogFile, LogTarget, Pod, Pods, Skipped
from kube_log_watcher_core.observe.log_state import LogState, state_of_skipped, state_of_target
from kube_log_watcher_core.reconcile import Life
from kube_log_watcher_core.resolve import Resolution, Rules, shown_pod_of
from kube_log_watcher_core.spool import Segment, Spooled, SpoolView

MOST_CONTAINERS = 1000
"""So many are explained at once."""
MOST_ASKED = 100
"""About so many agents are asked: that takes them from their work for some tens of milliseconds."""

MOST_SEGMENTS = 20
"""So many of one log's files in the spool are told and asked about: the oldest, which are to be read first,
and the newest."""

AskAgents = Callable[[Sequence[Question]], Mapping[str, tuple[AgentReport, ...]]]
"""Gives what each agent does about logs, by their containers' keys."""


@attrs.frozen(kw_only=True)
class PodSource:
    """How pods come to be known."""

    asking_singly: bool = False
    age_seconds: float | None = None
    """Since the API last sent something."""
    shown: Collection[str] = frozenset()
    """Uids of pods that the API has shown since the watcher began."""
    state_age_seconds: float | None = None
    """Since the state file was written, where that is what is known."""


@attrs.frozen(kw_only=True)
class Facts:
    """What is known at one moment."""

    resolution: Resolution
    departed: tuple[Departed, ...] = ()
    pods: Pods
    rules: Rules
    pod_source: PodSource
    life_of: Callable[[str], Life | None]
    """Gives the record of a container's log by the container's key."""
    spool: SpoolView = attrs.field(factory=SpoolView)
    gone: LastGone = attrs.field(factory=LastGone)
    endings: Callable[[str], tuple[AgentReport, ...]] = lambda _key: ()
    """Gives how shippers came to the end of a log that is gone, by its container's key."""


@attrs.frozen
class _Subject:
    """A container with all that was decided about it."""

    container: Container
    pod: Pod | None
    target: LogTarget | None = None
    skip: Skipped | None = None
    departed: Departed | None = None


def explanation_of(facts: Facts, query: Query, ask: AskAgents, *, source: str, at: float) -> Explanation:
    """Return the chain of decisions for every container that the query is about."""
    found = [subject for subject in _subjects(facts) if _is_meant(subject, query)]
    found.sort(
        key=attrgetter(
            "container.namespace", "container.pod_name", "container.name", "container.restart_count"
        )
    )
    told, left_out = found[:MOST_CONTAINERS], max(len(found) - MOST_CONTAINERS, 0)
    targets = [subject.target for subject in told if subject.target is not None]
    notes = () if len(targets) <= MOST_ASKED else (f"agents are asked about the first {MOST_ASKED} only",)
    agents = ask([question_about(target, facts.spool) for target in targets[:MOST_ASKED]])
    reports = [_report(subject, facts, agents.get(subject.container.key, ())) for subject in told]
    reports += _gone_reports(facts, query)
    reports += _without_logs(facts, query, reports)
    similar: tuple[str, ...] = ()
    if not reports:
        found_on_disk = (subject.container for subject in _subjects(facts))
        names = [(it.namespace, it.pod_name) for it in found_on_disk if it.pod_name]
        similar = tuple(query.similar([*names, *((pod.namespace, pod.name) for pod in facts.pods)]))
    return Explanation(
        source=source, at=at, notes=notes, containers=tuple(reports), left_out=left_out, similar=similar
    )


def _is_meant(subject: _Subject, query: Query) -> bool:
    it = subject.container
    labels = subject.pod.labels if subject.pod is not None else {}
    # A folder that can't be understood has no names; who asks may have its key from the log.
    named = query.match(it.namespace, it.pod_name or it.key, it.name, labels)
    return named or (bool(it.id) and query.match(it.namespace, str(it.id), None, labels))


def _subjects(facts: Facts) -> Iterator[_Subject]:
    departed = {each.target.container.key: each for each in facts.departed}
    for target in facts.resolution.targets:
        if target.container.key not in departed:
            yield _Subject(target.container, target.pod, target=target)
    for each in departed.values():
        yield _Subject(each.target.container, each.target.pod, target=each.target, departed=each)
    for skip in facts.resolution.skipped:
        if skip.container.key not in departed:
            yield _Subject(skip.container, shown_pod_of(skip.container, facts.pods), skip=skip)


def _report(subject: _Subject, facts: Facts, agents: tuple[AgentReport, ...]) -> ContainerReport:
    container, target, departed = subject.container, subject.target, subject.departed
    skip, path = subject.skip, target.log_path if target else container.log_path
    size = None if container.log_path is None else size_of_log(container.log_path)
    life = facts.life_of(container.key)
    return ContainerReport(
        namespace=container.namespace,
        pod_name=container.pod_name,
        container=container.name,
        key=container.key,
        id=target.id if target else container.id,
        state=_state(subject, facts, agents).value,
        layout=container.layout.value,
        restart_count=container.restart_count,
        log_path=None if path is None else shown_path(path),
        log_bytes=departed.size if departed else size,
        first_seen=life.first_seen if life else None,
        created=container.created,
        reason=skip.reason.value if skip else None,
        detail=skip.detail if skip else "",
        remedy=REMEDIES[skip.reason] if skip else "",
        rules=_rules(facts.rules) if target else (),
        pod=_pod_report(subject.pod, facts),
        spool=spool_report_of(container.key, facts.spool, agents),
        agents=agents,
        gone_since=departed.since if departed else None,
        remarks=tuple(sorted(f"{it.annotation}: {it.detail}" for it in life.remarks)) if life else (),
    )


def _state(subject: _Subject, facts: Facts, agents: Collection[AgentReport]) -> LogState:
    if subject.skip is not None:
        return state_of_skipped(subject.skip.reason)
    key = subject.container.key
    is_held = any(objection.holds for agent in agents for objection in agent.objections)
    return state_of_target(
        key, is_gone=subject.departed is not None, held={key} if is_held else (), spool=facts.spool
    )


def _rules(rules: Rules) -> tuple[str, ...]:
    told = ["no annotation excludes it"]
    if rules.namespaces or rules.exclude_namespaces:
        told.append("WATCHER_NAMESPACES and WATCHER_EXCLUDE_NAMESPACES leave its namespace in")
    labels = ", ".join(rules.strict_labels)
    told.append(f"its pod has the labels that are asked for: {labels}" if labels else "no label is asked for")
    return tuple(told)


def _pod_report(pod: Pod | None, facts: Facts) -> PodReport | None:
    if pod is None:
        return None
    known_by = facts.pod_source
    if facts.pods.by_uid(pod.uid) is not None:
        source, age = ("get" if known_by.asking_singly else "watch"), known_by.age_seconds
    elif pod.uid in known_by.shown:
        source, age = "memory", None
    else:
        source, age = "state-file", known_by.state_age_seconds
    return PodReport(
        uid=pod.uid,
        source=source,
        age_seconds=age,
        labels=dict(pod.labels),
        annotations={name: value for name, value in pod.annotations.items() if name.startswith(PREFIX)},
        owner=f"{pod.owner.kind} {pod.owner.name}" if pod.owner else None,
        node=pod.node,
        deleted=pod.deleted,
    )


def _gone_reports(facts: Facts, query: Query) -> list[ContainerReport]:
    """Tell what became of containers that have left the node."""
    there = {subject.container.key for subject in _subjects(facts)}
    gone = [it for it in facts.gone.without(there) if _is_meant(_Subject(it.container, it.pod), query)]
    return [_gone_report(it, facts) for it in gone[-MOST_CONTAINERS:]]


def _gone_report(gone: Gone, facts: Facts) -> ContainerReport:
    container, given_up = gone.container, facts.spool.given_up.get(gone.container.key, 0)
    endings = facts.endings(container.key) if gone.skip is None else ()
    return ContainerReport(
        namespace=container.namespace,
        pod_name=container.pod_name,
        container=container.name,
        key=container.key,
        id=gone.target.id if gone.target else container.id,
        state="gone",
        layout=container.layout.value,
        restart_count=container.restart_count,
        log_path=None if gone.target is None else shown_path(gone.target.log_path),
        reason=gone.skip.reason.value if gone.skip else None,
        detail=gone.skip.detail
        if gone.skip
        else f"the spool was full: {given_up} bytes had to go unread"
        if given_up
        else "",
        pod=_pod_report(gone.pod, facts),
        agents=endings,
        gone_since=gone.since,
    )


def shown_path(path: Path) -> str:
    """Return a path as JSON can tell it: a byte that is no UTF-8 can't be."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _without_logs(facts: Facts, query: Query, told: Sequence[ContainerReport]) -> list[ContainerReport]:
    """Tell of pods that the API shows and the disk doesn't, and never did."""
    on_disk = {subject.pod.uid for subject in _subjects(facts) if subject.pod is not None}
    on_disk |= {report.pod.uid for report in told if report.pod is not None}
    pods = [pod for pod in facts.pods if pod.uid not in on_disk]
    meant = [pod for pod in pods if query.match(pod.namespace, pod.name, None, pod.labels)]
    meant.sort(key=lambda pod: (pod.namespace, pod.name))
    return [
        ContainerReport(
            namespace=pod.namespace,
            pod_name=pod.name,
            container="",
            key=pod.uid,
            state="no-log",
            detail="the API shows the pod on this node, and no folder of its logs is on the disk",
            remedy="see with `kubectl describe pod` whether a container has started; then whether "
            "WATCHER_CONTAINERS_PATH is the folder in which the runtime writes",
            pod=_pod_report(pod, facts),
        )
        for pod in meant[:MOST_CONTAINERS]
    ]


# ---------------------------------------------------------------------- one log's files in the spool


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
