"""What the status socket is asked of the running daemon, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from kube_log_watcher_core.agents import AgentReport
from kube_log_watcher_core.explain.chain import AskAgents, Facts, PodSource, explanation_of
from kube_log_watcher_core.explain.documents import Explanation, explanation_document
from kube_log_watcher_core.explain.gone import LastGone
from kube_log_watcher_core.explain.query import Query, parse_query
from kube_log_watcher_core.explain.status import status_of
from kube_log_watcher_core.models import Pods
from kube_log_watcher_core.observe import Snapshot
from kube_log_watcher_core.reconcile import Pass, Reconciler
from kube_log_watcher_core.resolve import Resolution, Rules


@attrs.frozen(kw_only=True)
class _Seen:
    """What the main thread saw last. Never changed, so any thread may read it."""

    passed: Pass | None
    reconciler: Reconciler
    pods: Pods
    rules: Rules


class Sightings:
    """Which pods the API has shown since the watcher began.

    Kept by the main thread; what it gives is never changed afterwards, so any thread may read it.
    """

    def __init__(self) -> None:
        self._pods: Pods | None = None
        self.shown: frozenset[str] = frozenset()
        """Uids of pods that the API shows, or has shown while a container of theirs was there."""

    def note(self, passed: Pass, pods: Pods) -> None:
        """Take what a pass has seen, and what still drains."""
        if pods is not self._pods:
            targets = [*passed.work.targets, *(each.target for each in passed.work.departed)]
            kept = {target.pod.uid for target in targets} & self.shown
            self.shown = frozenset(kept.union(pod.uid for pod in pods))
            self._pods = pods


class Answers:
    """Takes each pass, from the main thread; answers from any.

    Parameters
    ----------
    snapshot
        tells how the watcher stands.
    ask
        asks the agents about targets.
    endings
        tells how agents' shippers came to the end of a log that is gone, by its container's key.
    wall
        the present time, in seconds since the epoch.
    """

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        ask: AskAgents,
        *,
        endings: Callable[[str], tuple[AgentReport, ...]],
        wall: Callable[[], float],
    ) -> None:
        self._snapshot = snapshot
        self._ask = ask
        self._endings = endings
        self._wall = wall
        self._gone = LastGone()
        self._sightings = Sightings()
        self._seen: _Seen | None = None

    def passed(self, passed: Pass | None, reconciler: Reconciler, pods: Pods, rules: Rules) -> None:
        """Note a pass; where nothing could be decided, what was decided last still stands."""
        if passed is not None:
            self._sightings.note(passed, pods)
            self._gone.note(passed, now=self._wall())
        elif self._seen is not None:
            passed = self._seen.passed
        self._seen = _Seen(passed=passed, reconciler=reconciler, pods=pods, rules=rules)

    def answer(self, request: str) -> Mapping[str, Any]:
        """Answer ``status``, or ``explain`` with filters as JSON.

        Raises `ValueError` when it is neither.
        """
        word, _, rest = request.strip().partition(" ")
        if self._seen is None:
            raise ValueError("the watcher has only just begun: ask again")
        if word == "status":
            return status_of(self._snapshot())
        if word == "explain":
            filters = json.loads(rest or "{}")
            if not isinstance(filters, dict) or not all(isinstance(it, str) for it in filters.values()):
                raise ValueError("filters are a JSON object of strings: name, namespace, selector")
            name, namespace = filters.get("name", ""), filters.get("namespace") or None
            query = parse_query(name, namespace=namespace, selector=filters.get("selector", ""))
            return explanation_document(self._explain(self._seen, query))
        raise ValueError("what can be asked is: status, explain")

    def _explain(self, seen: _Seen, query: Query) -> Explanation:
        snapshot = self._snapshot()
        facts = Facts(
            resolution=seen.passed.resolution if seen.passed else Resolution(),
            departed=seen.reconciler.work.departed,
            pods=seen.pods,
            rules=seen.rules,
            pod_source=PodSource(
                asking_singly=snapshot.watch.asking_singly,
                age_seconds=snapshot.watch.age_seconds(snapshot.now),
                shown=self._sightings.shown,
            ),
            life_of=seen.reconciler.life_of,
            spool=snapshot.spool,
            gone=self._gone,
            endings=self._endings,
        )
        told = explanation_of(facts, query, self._ask, source="watcher", at=snapshot.at)
        notes = () if seen.passed else ("nothing is decided yet: the folders or the API were never seen",)
        return attrs.evolve(told, notes=(*told.notes, *notes))
