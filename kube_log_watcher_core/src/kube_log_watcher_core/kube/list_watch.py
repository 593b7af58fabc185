"""The watch thread's work, one turn at a time: take a step, learn what comes next, wait for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from kube_log_watcher_core.backoff import Backoff
from kube_log_watcher_core.kube.access import ApiAccess
from kube_log_watcher_core.kube.fallback import ENOUGH_WITNESSES, Asking, common_node
from kube_log_watcher_core.kube.mailbox import Mailbox, PodName
from kube_log_watcher_core.kube.reflector import Hooks, Reflector, Report, failure
from kube_log_watcher_core.kube.session import ApiSession
from kube_log_watcher_core.kube.status import Reporter, WatchStats
from kube_log_watcher_core.kube.store import PodStore
from kube_log_watcher_core.kube.timing import Timing
from kube_log_watcher_core.kube.transitions import Course, Move, Outcome, Pause, Step
from kube_log_watcher_core.models import Pod, UnreadablePod

logger = logging.getLogger(__name__)

SLICE_SECONDS: Final = 1.0
"""The longest sleep in one piece: so often a waiting thread shows that it lives."""

BLIND_SHARE: Final = 3.0
"""After a stream that was of some use, the longest wait is so many times as long as it lived."""

_FAULTS = (Outcome.FAILED, Outcome.UNAUTHORIZED, Outcome.FORBIDDEN, Outcome.SILENT)
"""What a person would want to know; the rest is everyday life of a watch."""


class ListWatch:
    """All that the watch thread does, in finite turns. Only `cut` may be called from other threads."""

    def __init__(
        self,
        access: ApiAccess,
        *,
        node_name: str | None,
        on_change: Callable[[], None],
        mailbox: Mailbox,
        store: PodStore,
        stats: WatchStats,
        timing: Timing,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._node_name = node_name or None
        self._on_change = on_change
        self._mailbox = mailbox
        self._store = store
        self._stats = stats
        self._timing = timing
        self._clock = clock
        self._random = random
        self._session = ApiSession(access, timing=timing, clock=clock, count=stats.count)
        hooks = Hooks(
            opened=self._opened,
            read=self._read,
            page_begins=lambda: self._begin("listing", timing.list_seconds + timing.answer_seconds),
            interrupted=lambda: mailbox.interrupted,
            believes_empty=self._believes_empty,
        )
        self._reflector = Reflector(self._session, store, timing=timing, clock=clock, hooks=hooks)
        self._asking = Asking(self._session, timing=timing, clock=clock)
        self._reporter = Reporter(stats, clock)
        self._course = Course(
            Step.LIST if self._node_name else Step.LOCATE, forbidden_seconds=timing.forbidden_seconds
        )
        self._failing = Backoff(first_seconds=timing.backoff_seconds, random=random)
        self._restarting = Backoff(first_seconds=timing.backoff_seconds, random=random)
        self._asked_for = False
        self._doubts = 0
        self._list_due = 0.0

    def cut(self, verb: str | None = None) -> None:
        """Free the thread if it reads an answer to this verb, or any."""
        self._session.cut(verb)

    def close(self) -> None:
        """Close what is kept open between turns."""
        self._session.close()

    def turn(self) -> None:
        """Take one step and wait for the next."""
        before = self._course.step
        steps = {
            Step.LOCATE: self._locate,
            Step.LIST: self._list,
            Step.WATCH: self._watch,
            Step.ASK: self._ask,
        }
        report = steps[before]()
        if self._mailbox.stopped:
            return
        status = report.error.status if report.error else None
        move = self._course.after(report.outcome, now=self._clock(), status=status)
        self._tell(report, before, move)
        if move.stable:
            self._restarting.reset()
            self._failing.reset()
        self._stats.place(version=self._reflector.version, node_name=self._node_name)
        self._wait(move, report)

    def wait_after_bug(self) -> None:
        """Wait as after a failure, for one that nobody foresaw."""
        self._sleep(self._failing.next(self._limit_seconds()), early=lambda: False)

    # ------------------------------------------------------------------ steps

    def _list(self) -> Report:
        # Taken before the question: who asks while it is under way has seen something newer.
        self._asked_for = self._mailbox.take_list_request() or self._asked_for
        first = not self._store.synced
        report = self._reflector.list(self._node_name or "", self._course.list_at)
        if report.outcome is Outcome.LISTED:
            self._course.listed(asked_for=self._asked_for, changed=report.changed)
            self._asked_for = False
            if self._doubts and not (self._store.pods() or self._store.unreadable):
                logger.warning(
                    "The API goes on showing no pod of node %s, which is believed now; "
                    "is that the node's name as `kubectl get nodes` has it?",
                    self._node_name,
                )
            self._doubts = 0
            self._stats.listed(first=first)
            self._stats.byte(within_seconds=SLICE_SECONDS)
            shown = [(pod.namespace, pod.name) for pod in self._store.pods()]
            self._asking.questions.known(shown, self._clock())
            self._notify(changed=report.changed)
        return report

    def _believes_empty(self) -> bool:
        """Whether a list without a pod may be the truth; waits for the first look at the disk.

        Before the first list all that is configured hangs on it. Afterwards nothing does: what is known of
        a container stays.
        """
        if self._store.synced:
            return True
        self._sleep(float("inf"), early=lambda: self._mailbox.wanted is not None)
        return self._mailbox.wanted is not None and (
            not self._mailbox.wanted or self._doubts >= len(self._timing.empty_seconds)
        )

    def _watch(self) -> Report:
        if self._mailbox.interrupted:
            return Report(Outcome.LIST_ASKED_FOR)
        shortest, longest = self._timing.watch_seconds
        seconds = shortest + (longest - shortest) * self._random()
        self._begin("watching", self._timing.silence_seconds)
        return self._reflector.watch(self._node_name or "", limit_seconds=seconds)

    def _ask(self) -> Report:
        if self._clock() >= self._list_due:
            return Report(Outcome.LIST_DUE)
        self._begin("fallback", self._timing.answer_seconds)
        wanted = self._read_mailbox()
        self._notify(changed=wanted is not None and self._store.keep_named(wanted))
        error = self._asking.ask(self._found, self._missing, enough=lambda: self._mailbox.stopped)
        return failure(error) if error else self._asked()

    def _locate(self) -> Report:
        self._begin("locating", self._timing.answer_seconds)
        self._read_mailbox()
        witnesses: list[Pod] = []
        error = self._asking.ask(
            lambda pod: witnesses.append(pod) if isinstance(pod, Pod) else None,
            self._missing,
            enough=lambda: self._mailbox.stopped or len(witnesses) >= ENOUGH_WITNESSES,
        )
        self._node_name = common_node(witnesses)
        if self._node_name:
            logger.info(
                "No node name is set; pods found on disk run on %s, so its pods are watched", self._node_name
            )
            return Report(Outcome.LOCATED)
        return failure(error) if error else self._asked()

    def _asked(self) -> Report:
        complete = self._mailbox.wanted is not None and self._asking.questions.complete
        self._notify(changed=complete and self._store.mark_synced())
        self._reporter.right_used("get")
        self._reporter.works()
        return Report(Outcome.ASKED)

    def _read_mailbox(self) -> frozenset[PodName] | None:
        self._mailbox.take_news()
        wanted = self._mailbox.wanted
        self._asking.questions.want(wanted or (), self._clock())
        if self._mailbox.take_list_request():
            self._asking.questions.hurry()
        return wanted

    # ------------------------------------------------------------------ what comes in

    def _opened(self) -> None:
        self._course.opened()
        self._reporter.rights_granted()
        self._reporter.answers()
        self._stats.byte(within_seconds=self._timing.silence_seconds)

    def _read(self, good_lines: int, changes: int) -> None:
        if good_lines:
            self._failing.reset()
            self._course.heard(changed=changes > 0)
            self._reporter.works()
        self._stats.byte(within_seconds=self._timing.silence_seconds)
        self._stats.place(version=self._reflector.version, node_name=self._node_name)
        self._notify(changed=changes > 0)

    def _found(self, pod: Pod | UnreadablePod) -> None:
        if isinstance(pod, Pod) and self._node_name and pod.node != self._node_name:
            # A folder may have outlived its pod, which was made anew elsewhere, or by somebody else.
            self._missing((pod.namespace, pod.name))
            return
        self._stats.byte(within_seconds=self._timing.answer_seconds)
        self._notify(
            changed=self._store.put(pod) if isinstance(pod, Pod) else self._store.put_unreadable(pod)
        )

    def _missing(self, name: PodName) -> None:
        self._stats.byte(within_seconds=self._timing.answer_seconds)
        self._notify(changed=self._store.remove_named(*name))

    def _notify(self, *, changed: bool) -> None:
        if changed:
            self._on_change()

    # ------------------------------------------------------------------ between steps

    def _begin(self, state: str, within_seconds: float) -> None:
        self._stats.enter(state)
        self._stats.tick(within_seconds=self._timing.connect_seconds + within_seconds)

    def _tell(self, report: Report, before: Step, move: Move) -> None:
        if move.step is Step.ASK and before in (Step.LIST, Step.WATCH):
            self._reporter.rights_lacking(before.value, report.error)
            shortest, longest = self._timing.relist_seconds
            self._list_due = self._clock() + shortest + (longest - shortest) * self._random()
        elif report.outcome is Outcome.FORBIDDEN and self._course.forbidden_left(self._clock()) <= 0:
            self._reporter.rights_lacking("get", report.error)
        elif report.error and report.outcome in _FAULTS:
            self._reporter.failed(report.error)
        elif report.error:
            logger.debug("%s: %s", report.outcome.value, report.error)

    def _wait(self, move: Move, report: Report) -> None:
        match move.pause:
            case Pause.NONE:
                return
            case Pause.DOUBT:
                self._doubt()
            case Pause.DUE:
                times = [self._asking.questions.next_due(), self._list_due if move.step is Step.ASK else None]
                due = min((time for time in times if time is not None), default=float("inf"))
                self._sleep(max(due - self._clock(), 0.0), early=self._mailbox.take_news)
            case Pause.RENEWAL:
                self._back_off(self._seconds(move, report), early=lambda: self._session.token_changed)
            case Pause.SOON | Pause.BACKOFF:
                self._back_off(self._seconds(move, report), early=lambda: False)

    def _doubt(self) -> None:
        """Wait before an empty list is asked for again, unless the disk becomes empty, too."""
        wanted = self._mailbox.wanted or ()
        if not self._doubts:
            logger.warning(
                "The API shows no pod of node %s, and there are %d on its disk: it is asked again before "
                "that is believed",
                self._node_name,
                len(wanted),
                extra={"event": "empty-list"},
            )
        self._stats.fault("the API shows no pod of this node, and there are some on its disk")
        seconds = self._timing.empty_seconds[self._doubts] * (1 + self._random() / 4)
        self._doubts += 1
        self._back_off(seconds, early=lambda: not self._mailbox.wanted)

    def _seconds(self, move: Move, report: Report) -> float:
        """Return the wait after a failure: what the server asks for, else what the backoff says."""
        if move.pause is Pause.SOON:
            limit, lived = self._limit_seconds(), report.lived_seconds
            # A proxy that ends each stream soon must not blind us.
            return self._restarting.soon(
                limit if lived < self._timing.short_seconds else min(limit, lived * BLIND_SHARE)
            )
        seconds = self._failing.next(self._limit_seconds())
        if report.error and report.error.retry_after:
            return report.error.retry_after * (1 + self._random() / 4)  # not all nodes at once
        if report.outcome is Outcome.FORBIDDEN:
            left = self._course.forbidden_left(self._clock())
            return min(seconds, max(left, self._timing.backoff_seconds / 4))
        return seconds

    def _limit_seconds(self) -> float:
        timing = self._timing
        return timing.backoff_limit_seconds if self._store.synced else timing.unsynced_limit_seconds

    def _back_off(self, seconds: float, early: Callable[[], bool]) -> None:
        if seconds > 0:
            self._stats.enter("backing off")
            self._sleep(seconds, early=early)

    def _sleep(self, seconds: float, *, early: Callable[[], bool]) -> None:
        def early_or_alive() -> bool:
            self._stats.tick(within_seconds=2 * SLICE_SECONDS)
            return early()

        slice_seconds = min(SLICE_SECONDS, self._timing.token_poll_seconds)
        self._mailbox.sleep(seconds, slice_seconds=slice_seconds, early=early_or_alive)
