"""The finite steps of the watch: one list, one stream."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager

import attrs

from kube_log_watcher_core.errors import ApiError, Forbidden, Gone, Unauthorized
from kube_log_watcher_core.kube.listing import PodList, read_list
from kube_log_watcher_core.kube.session import Answer, ApiSession, Cut, Silence
from kube_log_watcher_core.kube.store import PodStore
from kube_log_watcher_core.kube.stream import Event, Kind, LineSplitter, parse_event
from kube_log_watcher_core.kube.timing import Timing
from kube_log_watcher_core.kube.transitions import ListAt, Outcome

logger = logging.getLogger(__name__)


@attrs.frozen
class Report:
    """What came of a step."""

    outcome: Outcome
    error: ApiError | None = None
    changed: bool = False
    """Whether the store changed."""
    lived_seconds: float = attrs.field(default=0.0, eq=False)
    """How long the stream was open."""


@attrs.frozen
class Hooks:
    """What the reflector tells while it reads."""

    opened: Callable[[], None]
    """The watch was granted."""
    read: Callable[[int, int], None]
    """Bytes came: how many good lines, and how many changes they made to the store."""
    interrupted: Callable[[], bool]
    """Asks whether the stream was ended on purpose."""


def failure(error: ApiError) -> Report:
    """Give the outcome that an error stands for."""
    kinds = {Unauthorized: Outcome.UNAUTHORIZED, Forbidden: Outcome.FORBIDDEN, Gone: Outcome.EXPIRED}
    return Report(kinds.get(type(error), Outcome.FAILED), error)


class Reflector:
    """Makes the store equal to what the API shows of one node's pods."""

    def __init__(
        self,
        session: ApiSession,
        store: PodStore,
        *,
        timing: Timing,
        clock: Callable[[], float],
        hooks: Hooks,
    ) -> None:
        self._session = session
        self._store = store
        self._timing = timing
        self._clock = clock
        self._hooks = hooks
        self.version: str | None = None
        """The resource version from which to go on."""

    def list(self, node_name: str, at: ListAt) -> Report:
        """Ask for all pods of the node and replace the store by them."""
        try:
            with self._get("list", _list_params(node_name, self._version_for(at))) as answer:
                found = read_list(
                    answer.limited(
                        limit_bytes=self._timing.list_bytes, limit_seconds=self._timing.list_seconds
                    )
                )
        except ApiError as error:
            return failure(error)
        _log_skipped(found)
        changed = self._store.replace(found.pods)
        self.version = found.version
        return Report(Outcome.LISTED, changed=changed)

    def watch(self, node_name: str, *, limit_seconds: float) -> Report:
        """Follow the node's pods from the last version until the stream ends, whatever ends it."""
        began = self._clock()
        try:
            with self._get("watch", _watch_params(node_name, self.version, limit_seconds)) as answer:
                self._hooks.opened()
                self._follow(answer)
        except Silence as error:
            return Report(Outcome.SILENT, error)
        except Cut as error:
            return self._ended(began, error)
        except ApiError as error:
            return Report(Outcome.REFRESH) if self._hooks.interrupted() else failure(error)
        return self._ended(began, None)

    def _get(self, verb: str, params: dict[str, str]) -> AbstractContextManager[Answer]:
        timing = self._timing
        seconds = timing.silence_seconds if verb == "watch" else timing.answer_seconds
        return self._session.get(verb, "/api/v1/pods", params=params, answer_seconds=seconds)

    def _version_for(self, at: ListAt) -> str | None:
        if at is ListAt.NEWEST:
            return None
        return self.version if at is ListAt.KNOWN and self.version else "0"

    def _ended(self, began: float, error: ApiError | None) -> Report:
        if self._hooks.interrupted():
            return Report(Outcome.REFRESH)
        lived = self._clock() - began
        outcome = Outcome.ENDED if lived >= self._timing.stable_seconds else Outcome.CUT
        return Report(outcome, error, lived_seconds=lived)

    def _follow(self, answer: Answer) -> None:
        """Apply each line that arrives whole. Half a line at the end is dropped: its event comes again."""
        lines = LineSplitter(limit_bytes=self._timing.line_bytes)
        if self._hooks.interrupted():
            return
        for piece in answer.pieces():
            good = changes = 0
            try:
                for line in lines.feed(piece):
                    changes += self._apply(parse_event(line))
                    good += 1
            finally:
                self._hooks.read(good, changes)

    def _apply(self, event: Event) -> bool:
        changed = False
        if event.kind is Kind.PUT and event.pod:
            changed = self._store.put(event.pod)
        elif event.kind is Kind.REMOVED and event.pod:
            changed = self._store.remove(event.pod)
        elif event.kind is Kind.SKIPPED:
            logger.warning("A watch event is left out: %s", event.detail)
        self.version = event.version or self.version
        return changed


def _list_params(node_name: str, version: str | None) -> dict[str, str]:
    selector = {"fieldSelector": f"spec.nodeName={node_name}"}
    return selector if version is None else {**selector, "resourceVersion": version}


def _watch_params(node_name: str, version: str | None, limit_seconds: float) -> dict[str, str]:
    return {
        "fieldSelector": f"spec.nodeName={node_name}",
        "watch": "true",
        "allowWatchBookmarks": "true",
        # Without it a server may let a stream go on for ever, and one that is dead look alive.
        "timeoutSeconds": str(max(int(limit_seconds), 1)),
        "resourceVersion": version or "0",
    }


def _log_skipped(found: PodList) -> None:
    if found.skipped:
        logger.warning(
            "%d of %d pods in a list are left out, the first because %s",
            len(found.skipped),
            len(found.skipped) + len(found.pods),
            found.skipped[0],
        )
