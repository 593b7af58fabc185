"""Asking for pods singly: what remains where list or watch can't be had."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from urllib.parse import quote

import attrs

from kube_log_watcher_core.backoff import Backoff
from kube_log_watcher_core.errors import ApiError, Forbidden, ServerError
from kube_log_watcher_core.kube.answers import NotFound
from kube_log_watcher_core.kube.decode import as_dict, pod_or_why, read_item
from kube_log_watcher_core.kube.json_reader import JsonReader
from kube_log_watcher_core.kube.mailbox import PodName
from kube_log_watcher_core.kube.session import ApiSession
from kube_log_watcher_core.kube.timing import Timing
from kube_log_watcher_core.models import Pod, UnreadablePod

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")

ENOUGH_WITNESSES = 3
"""So many pods are asked for the node's name: a folder may have outlived its pod, which has since been
made anew, under the same name, on another node (StatefulSets do that)."""


@attrs.define
class _Question:
    """What is known of one question, and when to ask it again."""

    due: float
    asked: float | None = None
    found: bool = False
    waits: Backoff | None = None


class Questions:
    """Which pod to ask for when: answers are kept, the good and the bad, for longer each time."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._by_name: dict[PodName, _Question] = {}

    def want(self, names: Collection[PodName], now: float) -> None:
        """Take the names that are wanted now: a new one is due at once, one that is gone is forgotten."""
        self._by_name = {name: self._by_name.get(name) or _Question(now) for name in names}

    def due(self, now: float) -> list[PodName]:
        """Return the names to ask for, the most overdue first."""
        ripe = [(question.due, name) for name, question in self._by_name.items() if question.due <= now]
        return [name for _, name in sorted(ripe)]

    def next_due(self) -> float | None:
        """Return the time of the next question; None without any."""
        return min((question.due for question in self._by_name.values()), default=None)

    def answered(self, name: PodName, *, found: bool, now: float) -> None:
        """Keep an answer, until a time that doubles with each equal one."""
        question = self._by_name.get(name)
        if question is None:
            return
        first, limit = self._timing.found_seconds if found else self._timing.missing_seconds
        if question.waits is None or question.asked is None or question.found != found:
            question.waits = Backoff(first_seconds=first)
        question.asked, question.found, question.due = now, found, now + question.waits.next(limit)

    def failed(self, name: PodName, now: float) -> None:
        """Put a question off that could not be answered, so that it does not stand before all others."""
        question = self._by_name.get(name)
        if question is not None:
            first, limit = self._timing.missing_seconds
            question.waits = question.waits or Backoff(first_seconds=first)
            question.due = now + question.waits.next(limit)

    def known(self, names: Collection[PodName], now: float) -> None:
        """Take these as found: a list has just shown them."""
        for name in names:
            self.answered(name, found=True, now=now)

    def hurry(self) -> None:
        """Bring every question forward as far as may be."""
        for question in self._by_name.values():
            if question.asked is not None:
                question.due = min(question.due, question.asked + self._timing.hurry_seconds)

    @property
    def complete(self) -> bool:
        """Whether every question has had an answer."""
        return all(question.asked is not None for question in self._by_name.values())


def can_exist(name: PodName) -> bool:
    """Whether these can be names of Kubernetes: a folder may be called anything, ``..`` say."""
    return all(len(part) <= 253 and _NAME.fullmatch(part) for part in name)


def ask_for_pod(session: ApiSession, name: PodName, *, timing: Timing) -> Pod | UnreadablePod | None:
    """Ask for one pod; None when the API does not have it. Raises `ApiError`."""
    if not can_exist(name):
        return None
    namespace, pod = (quote(part, safe="") for part in name)
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}"
    try:
        with session.get("get", path, params={}, answer_seconds=timing.answer_seconds) as answer:
            item, too_long = read_item(JsonReader(answer.pieces()))
    except NotFound:
        return None
    except (ValueError, RecursionError) as error:
        raise ServerError(f"get pods: the answer is no JSON: {str(error)[:200]}", status=200) from error
    if as_dict(item).get("kind") != "Pod":
        raise ServerError("get pods: the answer is no Pod", status=200)
    found = pod_or_why(item, too_long)
    if (found.namespace, found.name) != name:
        raise ServerError(f"get pods: the answer is another pod: {found.namespace}/{found.name}", status=200)
    return found


class Asking:
    """Puts the questions that are due."""

    def __init__(self, session: ApiSession, *, timing: Timing, clock: Callable[[], float]) -> None:
        self._session = session
        self._timing = timing
        self._clock = clock
        self.questions = Questions(timing)

    def ask(
        self,
        found: Callable[[Pod | UnreadablePod], None],
        missing: Callable[[PodName], None],
        *,
        enough: Callable[[], bool],
    ) -> ApiError | None:
        """Put every question that is due, and hand each answer on. Gives the last error, if any.

        A pod that may not be seen says nothing of the others; any other error ends the round.
        """
        failed: ApiError | None = None
        for name in self.questions.due(self._clock()):
            if enough():
                break
            try:
                pod = ask_for_pod(self._session, name, timing=self._timing)
            except ApiError as error:
                self.questions.failed(name, self._clock())
                failed = error
                if not isinstance(error, Forbidden):
                    break
                continue
            self.questions.answered(name, found=pod is not None, now=self._clock())
            if pod is None:
                missing(name)
            else:
                found(pod)
        return failed


def common_node(pods: Collection[Pod]) -> str | None:
    """Return the node that most of these pods are on; None when none is on any."""
    nodes = Counter(pod.node for pod in pods if pod.node)
    return nodes.most_common(1)[0][0] if nodes else None
