"""The daemon: waits for whatever may have changed, looks, and hands on what follows from it."""

from __future__ import annotations

import logging
import selectors
import signal
import time
from collections.abc import Callable, Mapping

from kube_log_watcher_core.agents import FolderLocks, Handed, Supervisor
from kube_log_watcher_core.configuration import Configuration, Given, configure
from kube_log_watcher_core.errors import WatcherError
from kube_log_watcher_core.explain import Answers
from kube_log_watcher_core.kube import PodEvents
from kube_log_watcher_core.loop.complaints import of_agent, of_watcher
from kube_log_watcher_core.loop.node_pass import NodePass
from kube_log_watcher_core.loop.pace import Pace
from kube_log_watcher_core.loop.reload import PREPARE_SECONDS, Parts, PartsBuilder, Preparation
from kube_log_watcher_core.loop.wakeup import Signals, WakeUp
from kube_log_watcher_core.models import Work
from kube_log_watcher_core.observe import Monitor
from kube_log_watcher_core.observe.logs import set_up_logging
from kube_log_watcher_core.reconcile import Reconciler, log_changes
from kube_log_watcher_core.resolve import Resolution
from kube_log_watcher_core.settings.kinds import LONGEST_SECONDS
from kube_log_watcher_core.spool import ClosedSegment

logger = logging.getLogger(__name__)

STOP_SECONDS = 0.5
"""How long a sync may still take when the process is asked to stop."""

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Daemon:
    """Runs until it is asked to stop; configuration stays in place.

    Parameters
    ----------
    given
        where the settings come from, for reloads.
    configuration
        what they said at start.
    own_signals
        handle SIGTERM, SIGINT and SIGHUP; False inside another program, which calls `stop`.
    """

    def __init__(
        self,
        given: Given,
        configuration: Configuration,
        *,
        own_signals: bool = True,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._given = given
        self._first = configuration
        self._clock = clock
        self._wall = wall
        self._wakeup = WakeUp()
        self._signals = Signals(self._wakeup, (*STOP_SIGNALS, signal.SIGHUP)) if own_signals else None
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wakeup, selectors.EVENT_READ)
        locks = FolderLocks()
        self._pod_events = PodEvents(clock=clock, wall=wall)
        self._supervisor = Supervisor(
            locks=locks,
            clock=clock,
            on_ready=self._wakeup.call,
            on_objections=lambda agent, found: self._pod_events.stand(agent, of_agent(agent, found)),
        )
        self._monitor = Monitor(
            self._supervisor.status, clock=clock, wall=wall, pod_events=self._pod_events.counts
        )
        self._answers = Answers(
            self._monitor.snapshot,
            self._supervisor.reports,
            endings=self._supervisor.endings,
            wall=wall,
        )
        self._builder = PartsBuilder(
            supervisor=self._supervisor,
            locks=locks,
            monitor=self._monitor,
            answers=self._answers,
            reconciler_of=lambda left: Reconciler(left, clock=clock, wall=wall),
            wake=self._wakeup.call,
            clock=clock,
            wall=wall,
        )
        self._preparation: Preparation | None = None
        self._reload_wanted = False
        self._pace = Pace()
        self._woken_at = clock()
        self._published: Work | None = None
        self._asked: tuple[ClosedSegment, ...] = ()
        self._recheck = False
        self._new: Mapping[str, float] = {}
        self._next_full = float("-inf")
        self._stopping = False
        self.resolution: Resolution | None = None
        """What the last pass decided; None before the first complete one."""

    def run(self) -> None:
        """Watch until asked to stop.

        Raises `AgentConfigError` at the start, when an agent can't work here, and `SettingsError` at the
        start, when nobody can listen on the address for health and metrics.
        """
        parts: Parts | None = None
        try:
            parts = self._begin()
            while parts is not None and not self._stopping:
                parts = self._turn(parts)
        finally:
            self._shut_down(parts)

    def stop(self) -> None:
        """Ask the daemon to stop; from any thread."""
        self._stopping = True
        self._wakeup.call()

    # ------------------------------------------------------------------ settings

    def _begin(self) -> Parts | None:
        """Put the first settings to work; None when it is asked to stop meanwhile."""
        self._prepare(lambda: self._first, None)
        while not self._stop_asked():
            outcome = self._prepared()
            if isinstance(outcome, Parts):
                return self._take(outcome, None)
            if outcome is not None:
                raise outcome
            self._selector.select(PREPARE_SECONDS)
            self._wakeup.clear()
        return None

    def _prepare(self, read: Callable[[], Configuration], old: Parts | None) -> None:
        self._preparation = Preparation(
            lambda tell: self._builder.build(read(), old, tell=tell),
            wake=self._wakeup.call,
            deadline=self._clock() + PREPARE_SECONDS,
        )

    def _prepared(self) -> Parts | BaseException | None:
        """Return what the preparation that goes on has come to; None while it goes on, and without any."""
        outcome = None if self._preparation is None else self._preparation.outcome(self._clock())
        if outcome is not None:
            self._preparation = None
        return outcome

    def _react(self, parts: Parts) -> Parts:
        """Do what signals, changed settings' files and prepared settings ask for: here and nowhere else."""
        if self._signals is not None and self._signals.take(*STOP_SIGNALS):
            self._stopping = True
        if self._signals is not None and self._signals.take(signal.SIGHUP):
            logger.info("asked to read the settings again")
            self._reload_wanted = True
        if parts.files.changed():
            self._reload_wanted = True
        outcome = self._prepared()
        if isinstance(outcome, Parts):
            parts = self._take(outcome, parts)
            self._monitor.reloaded()
            logger.info("new settings are in use", extra={"event": "settings-taken"})
        elif outcome is not None:
            self._refuse(outcome)
        if self._reload_wanted and self._preparation is None and not self._stopping:
            self._reload_wanted = False
            try:
                self._prepare(lambda: configure(self._given), parts)
            except RuntimeError as error:  # there can be no further thread
                self._refuse(error)
        return parts

    def _refuse(self, error: BaseException) -> None:
        """Report why new settings can't be used, and go on with the old ones."""
        foreseen = isinstance(error, WatcherError | OSError)
        self._monitor.reloaded("; ".join(str(error).splitlines()) if foreseen and str(error) else repr(error))
        for line in str(error).splitlines() if foreseen else [repr(error)]:
            text = "the new settings can't be used, the old ones stay: %s"
            trace = None if foreseen else error
            logger.error(text, line, extra={"event": "settings-refused"}, exc_info=trace)

    def _take(self, new: Parts, old: Parts | None) -> Parts:
        """Run on these parts from now on, which can't fail: whatever may fail was done before."""
        self._monitor.configured(new.configuration)
        if old is None or new.node is not old.node:
            self._monitor.watches(new.node.pod_watch)
            self._monitor.spools(new.node.spooling.view)
        watcher = new.configuration.watcher
        self._pod_events.use(
            new.configuration.access if watcher.events else None, node=new.configuration.node.node
        )
        self._supervisor.take(new.agents)
        new.node.spooling.use(new.configuration.watcher.spool_dir, new.configuration.spool_rules)
        for part in (new.state, new.door):
            if part is not None:
                part.begin()
        if old is not None:
            if _log_settings(new.configuration) != _log_settings(old.configuration):
                json = new.configuration.watcher.log_format == "json"
                set_up_logging(new.configuration.log_level, json=json)
            self._let_go(old, new)
        self._published = None
        self._next_full = float("-inf")
        return new

    def _let_go(self, old: Parts, new: Parts | None) -> None:
        """Let go of the parts that are no longer needed, and wait for none of them."""
        if old.http is not None and (new is None or new.http is not old.http):
            old.http.close()
        if old.door is not None and (new is None or new.door is not old.door):
            old.door.close()
        if old.state is not None and (new is None or new.state is not old.state):
            old.state.stop()
        if new is None or new.files is not old.files:
            self._forget_descriptor(old.files.fileno())
            old.files.close()
        if new is None or new.node is not old.node:
            self._forget_descriptor(old.node.discovery.fileno())
            old.node.pod_watch.stop()
            old.node.discovery.close()

    def _forget_descriptor(self, descriptor: int | None) -> None:
        if descriptor is not None and descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)

    def _shut_down(self, parts: Parts | None) -> None:
        if self._preparation is not None:
            self._preparation.give_up()
        if parts is not None:
            self._let_go(parts, None)
        self._pod_events.stop()
        self._supervisor.stop(wait_seconds=STOP_SECONDS)
        if parts is not None and parts.state is not None:
            parts.state.stop(wait_seconds=STOP_SECONDS / 2)
        if parts is not None:
            parts.node.spooling.close(wait_seconds=STOP_SECONDS / 4)
        if parts is not None and parts.door is not None:
            parts.door.close(wait_seconds=STOP_SECONDS / 4)
        self._selector.close()
        if self._signals is not None:
            self._signals.restore()
        self._wakeup.close()
        logger.info("stopped; the configuration stays in place", extra={"event": "stopped"})

    # ------------------------------------------------------------------ one turn

    def _turn(self, parts: Parts) -> Parts:
        self._wait(parts)
        parts = self._react(parts)
        if not self._stopping:
            now = self._clock()
            self._pass(parts, full=now >= self._next_full, now=now)
            self._supervisor.report_slow(now)
            self._pace.passed(self._clock())
        return parts

    def _pass(self, parts: Parts, *, full: bool, now: float) -> None:
        configuration, node = parts.configuration, parts.node
        passed = node.look(
            configuration.rules,
            configuration.timeouts,
            full=full,
            read=self._supervisor.finished(),
            woken_at=self._woken_at,
        )
        work, resolution = node.reconciler.work, passed.resolution if passed is not None else None
        polling_reason = node.discovery.polling_reason
        self._monitor.passed(
            resolution,
            full=full,
            draining=len(work.departed),
            polling_reason=polling_reason,
            node_trouble=node.trouble,
        )
        self._answers.passed(passed, node.reconciler, node.pod_watch.pods(), configuration.rules)
        if full:
            self._next_full = now + configuration.watcher.interval
        if passed is None:
            return
        self.resolution = passed.resolution
        log_changes(passed)
        if self._pod_events.is_on and (full or passed.changes):
            self._pod_events.stand("", of_watcher(node.reconciler.with_remarks()))
        self._recheck = self._recheck or full
        new = {it.after.key: it.appeared for it in passed.came if it.appeared is not None}
        self._new = {**self._new, **new}
        if parts.state is None or parts.state.keep(work):
            self._hand_on(node, passed.resolution, configuration)

    def _hand_on(self, node: NodePass, resolution: Resolution, configuration: Configuration) -> None:
        """Let the agents have what is to be followed; what they can't do without is on the disk."""
        work = node.reconciler.work
        node.spooling.settle(resolution, ready=self._supervisor.ready(), read=self._supervisor.segments_read)
        closed = node.spooling.closed()
        # While something drains, each look asks the agents how far their shippers have read.
        if self._recheck or work.departed or closed is not self._asked or work != self._published:
            handed = Handed(
                work, configuration.timeouts.drain, closed, configuration.spool_rules, at=self._wall()
            )
            self._supervisor.submit(handed, recheck=self._recheck, new=self._new)
        self._published, self._asked, self._recheck, self._new = work, closed, False, {}

    def _wait(self, parts: Parts) -> None:
        """Sleep until something may have changed, then until a burst may be looked at."""
        self._watch_descriptors(parts)
        now = self._clock()
        deadlines = [self._next_full, parts.node.next_deadline(now), self._supervisor.next_deadline()]
        if self._preparation is not None:
            deadlines.append(self._preparation.deadline)
        if parts.state is not None:
            deadlines.append(parts.state.next_deadline())
        timeout = min(max(min(at for at in deadlines if at is not None) - now, 0.0), LONGEST_SECONDS)
        self._monitor.sleeping(timeout)
        self._selector.select(timeout)
        self._woken_at = self._monitor.awake()
        self._wakeup.clear()
        while not self._stop_asked() and (hold := self._pace.hold(self._clock())) > 0:
            # Not on the descriptors that have hints: they stay readable until the pass.
            # By poll(2), which needs no descriptor of its own: there may be none left.
            with selectors.PollSelector() as selector:
                selector.register(self._wakeup, selectors.EVENT_READ)
                selector.select(hold)
            self._wakeup.clear()

    def _stop_asked(self) -> bool:
        return self._stopping or (self._signals is not None and self._signals.came(*STOP_SIGNALS))

    def _watch_descriptors(self, parts: Parts) -> None:
        """Wait on what there is now: inotify may have come or gone."""
        descriptors = (parts.node.discovery.fileno(), parts.files.fileno())
        wanted = {descriptor for descriptor in descriptors if descriptor is not None}
        registered = {key.fd for key in self._selector.get_map().values()} - {self._wakeup.fileno()}
        for descriptor in registered - wanted:
            self._selector.unregister(descriptor)
        for descriptor in wanted - registered:
            self._selector.register(descriptor, selectors.EVENT_READ)


def _log_settings(configuration: Configuration) -> tuple[bool, str, str]:
    watcher = configuration.watcher
    return watcher.debug, watcher.loglevel, watcher.log_format
