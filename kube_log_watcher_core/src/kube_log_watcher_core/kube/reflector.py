"""The finite steps of the watch: one list, one stream."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import attrs

from kube_log_watcher_core.errors import ApiError, Forbidden, Gone, ServerError, Unauthorized
from kube_log_watcher_core.kube.answers import Silence
from kube_log_watcher_core.kube.listing import MOST_PODS, PodList, read_list
from kube_log_watcher_core.kube.session import Answer, ApiSession, Cut
from kube_log_watcher_core.kube.store import PodStore
from kube_log_watcher_core.kube.stream import EventType, Lines, WatchEvent, parse_event
from kube_log_watcher_core.kube.timing import Timing
from kube_log_watcher_core.kube.transitions import ListAt, Outcome
from kube_log_watcher_core.models import UnreadablePod

logger = logging.getLogger(__name__)

MOST_PAGES = 1000
"""A list has an end, whatever the server says."""


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
    """Bytes came: how many good lines were in the last ones, and how many changes they made to the store."""
    interrupted: Callable[[], bool]
    """Asks whether the stream was ended on purpose."""
    page_begins: Callable[[], None] = lambda: None
    """A page of a list is asked for."""
    believes_empty: Callable[[], bool] = lambda: True
    """Asks whether a list without a pod may be the truth."""


def failure(error: ApiError) -> Report:
    """Return the outcome that an error stands for."""
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
        self._good = 0
        self._changes = 0

    def list(self, node_name: str, at: ListAt) -> Report:
        """Ask for all pods of the node, page by page, and replace the store by them.

        An empty list that is not believed leaves the store as it is.
        """
        params = {"fieldSelector": f"spec.nodeName={node_name}"}
        if at is not ListAt.NEWEST:
            params["resourceVersion"] = self.version if at is ListAt.KNOWN and self.version else "0"
        try:
            found = self._read_pages(params)
        except ApiError as error:
            return failure(error)
        if not (found.pods or found.unreadable or self._hooks.believes_empty()):
            return Report(Outcome.EMPTY)
        for each in found.unreadable:
            self._say_unreadable(each)
        changed = self._store.replace(found.pods, found.unreadable)
        self.version = found.version
        return Report(Outcome.LISTED, changed=changed)

    def _read_pages(self, params: dict[str, str]) -> PodList:
        """Return a list with all its pages: servers and proxies make some even where nobody asks."""
        whole: PodList | None = None
        for _ in range(MOST_PAGES):
            self._hooks.page_begins()
            with self._get("list", params) as answer:
                page = read_list(answer.pieces())
            # What happens while pages are read is not in the first ones: the watch goes on from there.
            whole = page if whole is None else whole.with_page(page)
            if not page.more or len(whole.pods) + len(whole.unreadable) > MOST_PODS:
                break
            # Which version it is of is in the token; the API refuses both together.
            params = {"fieldSelector": params["fieldSelector"], "continue": page.more}
        if whole is None or whole.more:
            raise ServerError(f"list pods: more than {MOST_PODS} pods or {MOST_PAGES} pages", status=200)
        return whole

    def watch(self, node_name: str, *, limit_seconds: float) -> Report:
        """Follow the node's pods from the last version until the stream ends, whatever ends it."""
        began = self._clock()
        params = {
            "fieldSelector": f"spec.nodeName={node_name}",
            "watch": "true",
            "allowWatchBookmarks": "true",
            # Without it a server may let a stream go on for ever, and one that is dead look alive.
            "timeoutSeconds": str(max(int(limit_seconds), 1)),
            "resourceVersion": self.version or "0",
        }
        try:
            with self._get("watch", params) as answer:
                self._hooks.opened()
                self._follow(answer)
        except Silence as error:
            return Report(Outcome.SILENT, error)
        except Cut as error:
            return self._ended(began, error)
        except ApiError as error:
            return Report(Outcome.LIST_ASKED_FOR) if self._hooks.interrupted() else failure(error)
        return self._ended(began, None)

    def _get(self, verb: str, params: dict[str, str]) -> AbstractContextManager[Answer]:
        timing = self._timing
        seconds = timing.silence_seconds if verb == "watch" else timing.answer_seconds
        return self._session.get(verb, "/api/v1/pods", params=params, answer_seconds=seconds)

    def _ended(self, began: float, error: ApiError | None) -> Report:
        if self._hooks.interrupted():
            return Report(Outcome.LIST_ASKED_FOR)
        lived = self._clock() - began
        outcome = Outcome.ENDED if lived >= self._timing.stable_seconds else Outcome.CUT
        return Report(outcome, error, lived_seconds=lived)

    def _follow(self, answer: Answer) -> None:
        """Apply each line that arrives whole. Half a line at the end is dropped: its event comes again."""
        if self._hooks.interrupted():
            return
        timing = self._timing
        try:
            for line in Lines(self._noted(answer), clock=self._clock, line_seconds=timing.list_seconds):
                self._changes += self._apply(parse_event(line))
                self._good += 1
        finally:
            self._note()

    def _noted(self, answer: Answer) -> Iterator[bytes]:
        """Yield what arrives; tell after each piece what its lines have brought."""
        for piece in answer.pieces():
            yield piece
            self._note()

    def _note(self) -> None:
        good, changes, self._good, self._changes = self._good, self._changes, 0, 0
        self._hooks.read(good, changes)

    def _apply(self, event: WatchEvent) -> bool:
        changed = False
        if event.type is EventType.SKIPPED:
            logger.warning("A watch event is left out: %s", event.detail)
        elif event.type is EventType.REMOVED and event.pod:
            changed = self._store.remove(event.pod)
        elif isinstance(event.pod, UnreadablePod):
            self._say_unreadable(event.pod)
            changed = self._store.put_unreadable(event.pod)
        elif event.pod:
            changed = self._store.put(event.pod)
        self.version = event.version or self.version
        return changed

    def _say_unreadable(self, pod: UnreadablePod) -> None:
        """Say once what can't be read; what is configured of it stays."""
        if pod not in self._store.unreadable:
            logger.warning(
                "Pod %s/%s can't be read, what is known of it stays as it is: %s",
                pod.namespace or "?",
                pod.name or "?",
                pod.detail,
                extra={"event": "pod-unreadable"},
            )
