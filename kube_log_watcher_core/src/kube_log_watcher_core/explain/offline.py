"""Explains containers without a watcher: by the state file, the disk and the API."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.agent import FileAgent, rehearse
from kube_log_watcher_core.agents import (
    AgentReport,
    Objections,
    Question,
    ask_directly,
    close_agent,
    make_agent,
    objection_reports,
    told_of,
)
from kube_log_watcher_core.configuration import ChosenAgent, Configuration
from kube_log_watcher_core.errors import ApiError, WatcherError
from kube_log_watcher_core.explain.chain import Facts, PodSource, explanation_of
from kube_log_watcher_core.explain.documents import Explanation
from kube_log_watcher_core.explain.look import look
from kube_log_watcher_core.explain.query import Query
from kube_log_watcher_core.files import Change
from kube_log_watcher_core.models import LogTarget, NodeContext, Objection
from kube_log_watcher_core.settings.masks import Masks
from kube_log_watcher_core.state import NAME

NOT_ON_DISK = "this is not on the disk yet: the next watcher writes it"


def explain_offline(
    configuration: Configuration,
    query: Query,
    *,
    timeout_seconds: float,
) -> Explanation:
    """Explain containers; nothing is written.

    Raises `DiscoveryError` when the containers can't be listed, and `ApiError` when the pods can't be had,
    and no state file tells of any.
    """
    seen, now = look(configuration, timeout_seconds=timeout_seconds), time.time()
    if seen.api_error is not None and not (seen.left.targets or seen.left.departed):
        raise ApiError(f"{seen.api_error}, and no state file tells of pods")
    targets = [*seen.resolution.targets, *(each.target for each in seen.departed)]
    targets.sort(key=lambda target: target.id)

    def ask(about: Sequence[Question]) -> Mapping[str, tuple[AgentReport, ...]]:
        told = [_Imagined(chosen, configuration.node, targets) for chosen in configuration.agents]
        return {it.target.container.key: tuple(each.report(it) for each in told) for it in about}

    try:
        written_at = (configuration.watcher.state_dir or Path()) / NAME
        age = max(now - written_at.stat().st_mtime, 0.0)
    except OSError:
        age = None
    facts = Facts(
        resolution=seen.resolution,
        departed=seen.departed,
        life_of=seen.life_of,
        pods=seen.pods,
        rules=configuration.rules,
        spool=seen.spool,
        pod_source=PodSource(asking_singly=seen.asking_singly, age_seconds=0.0, state_age_seconds=age),
    )
    told = explanation_of(facts, query, ask, source="offline", at=now)
    sources = "the disk" if age is None else f"the disk and the state file, which is {age:.0f} s old"
    note = f"this is from the Kubernetes API, {sources}"
    if seen.api_error is not None:
        note = f"this is from {sources}; {seen.api_error}"
    return attrs.evolve(told, notes=(note, *told.notes))


class _Imagined:
    """An agent that only tells what it would write."""

    def __init__(self, chosen: ChosenAgent, node: NodeContext, targets: Sequence[LogTarget]) -> None:
        self._name = chosen.name
        self._masks = Masks(chosen.settings)
        self._changes: Sequence[Change] = ()
        self._trouble: str | None = None
        self._agent: FileAgent[object] | None = None
        self._objections: Mapping[str, Sequence[Objection]] = {}
        try:
            agent = make_agent(chosen, node)
            if isinstance(agent, FileAgent):
                self._changes = rehearse(agent, targets)
                objections = Objections(chosen.name, agent)
                objections.look(targets)
                self._objections = objections.by_key
                self._agent = agent
            else:
                close_agent(chosen.name, agent)
                self._trouble = "only a running watcher knows what it writes"
        except (Exception, SystemExit) as error:  # noqa: BLE001 - an agent may raise anything
            self._trouble = self._tell(error)

    def _tell(self, error: BaseException) -> str:
        return self._masks.hide(str(error) if isinstance(error, WatcherError) else repr(error))

    def report(self, question: Question) -> AgentReport:
        """Return what is on the disk about a log, or should be."""
        silent = AgentReport(name=self._name, trouble=self._trouble)
        if self._agent is None:
            return silent
        try:
            told = ask_directly(self._agent, question)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - an agent may raise anything
            return attrs.evolve(silent, trouble=self._tell(error))
        changed = {change.path for change in self._changes}
        report = told_of(silent, told, self._masks)
        return attrs.evolve(
            report,
            objections=objection_reports(self._objections.get(question.target.container.key, ())),
            trouble=NOT_ON_DISK if any(item.path in changed for item in told.items) else None,
        )
