"""The daemon: waits for whatever may have changed, looks, and hands on what follows from it."""

from __future__ import annotations

import logging
import selectors
import signal
import time
from collections.abc import Callable

from kube_log_watcher_core.agents import AgentWorkers, FolderLocks
from kube_log_watcher_core.configuration import Configuration, Given, configure
from kube_log_watcher_core.discovery import Discovery
from kube_log_watcher_core.errors import AgentConfigError, WatcherError
from kube_log_watcher_core.explain import Answers, StatusDoor
from kube_log_watcher_core.kube import PodWatch
from kube_log_watcher_core.loop.arrivals import Arrivals
from kube_log_watcher_core.loop.node_pass import NodePass
from kube_log_watcher_core.loop.pace import Pace
from kube_log_watcher_core.loop.settings_files import SettingsFiles
from kube_log_watcher_core.loop.state_keeper import StateKeeper
from kube_log_watcher_core.loop.wakeup import Signals, WakeUp
from kube_log_watcher_core.models import Work
from kube_log_watcher_core.observe import HttpEndpoint, Monitor
from kube_log_watcher_core.observe.logs import set_up_logging
from kube_log_watcher_core.reconcile import Memory
from kube_log_watcher_core.reconcile.decisions import Decisions
from kube_log_watcher_core.resolve import Resolution
from kube_log_watcher_core.settings.kinds import LONGEST_SECONDS

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
        self._wall = wall
        self._given = given
        self._configuration = configuration
        self._clock = clock
        self._wakeup = WakeUp()
        self._signals = Signals(self._wakeup, (*STOP_SIGNALS, signal.SIGHUP)) if own_signals else None
        self._selector = selectors.DefaultSelector()
        self._locks = FolderLocks()
        self._agents = AgentWorkers(locks=self._locks, clock=clock, wall=wall)
        self._monitor = Monitor(self._agents.status, clock=clock, wall=wall)
        self._http = HttpEndpoint(self._monitor.snapshot)
        self._answers = Answers(self._monitor.snapshot, self._agents.reports, wall=wall)
        self._status = StatusDoor(self._locks, self._answers.answer)
        self._pace = Pace()
        self._decisions = Decisions()
        self._arrivals = Arrivals()
        self._woken_at = clock()
        self._published: Work | None = None
        self._next_full = float("-inf")
        self._stopping = False
        self.resolution: Resolution | None = None
        """What the last pass decided; None before the first complete one."""

    def run(self) -> None:
        """Watch until asked to stop.

        Raises
        ------
        AgentConfigError
            at the start, when an agent can't work here.
        SettingsError
            at the start, when nobody can listen on the address for health and metrics.
        """
        watcher = self._configuration.watcher
        self._monitor.configured(self._configuration)
        self._http.move(watcher.http_address)
        self._agents.set(self._configuration.agents, self._configuration.node, state_dir=watcher.state_dir)
        self._state = StateKeeper.open(watcher.state_dir, self._locks)
        self._settings_files = SettingsFiles(self._configuration.files)
        self._node = self._observe(Memory(self._state.left, clock=self._clock, wall=self._wall))
        self._selector.register(self._wakeup, selectors.EVENT_READ)
        self._status.move(watcher.state_dir)
        try:
            while not self._stopping:
                self._turn()
        finally:
            self._shut_down()

    def stop(self) -> None:
        """Ask the daemon to stop; from any thread."""
        self._stopping = True
        self._wakeup.call()

    def _observe(self, memory: Memory) -> NodePass:
        configuration = self._configuration
        pod_watch = PodWatch(
            configuration.access,
            node_name=configuration.watcher.cluster_node_name,
            on_change=self._wakeup.call,
        )
        pod_watch.start()
        self._monitor.watches(pod_watch)
        return NodePass(Discovery(configuration.paths), pod_watch, memory)

    def _turn(self) -> None:
        self._wait()
        self._react_to_signals()
        if self._stopping:
            return
        now = self._clock()
        full = now >= self._next_full
        if self._settings_files.changed():
            self._reload()
        self._pass(full=full or now >= self._next_full, now=now)
        self._agents.report_slow(now)
        self._pace.passed(self._clock())

    def _pass(self, *, full: bool, now: float) -> None:
        configuration = self._configuration
        self._node.memory.finished(self._agents.finished())
        resolution = self._node.look(configuration.rules, configuration.patience, full=full)
        departed = self._node.memory.work.departed
        polling_reason = self._node.discovery.polling_reason
        self._monitor.passed(resolution, full=full, draining=len(departed), polling_reason=polling_reason)
        self._answers.passed(resolution, departed, self._node.pod_watch.pods(), configuration.rules)
        if full:
            self._next_full = now + configuration.watcher.interval
        if resolution is None:
            return
        self.resolution = resolution
        self._decisions.note(resolution)
        new = self._arrivals.note(resolution, woken_at=self._woken_at)
        work = self._node.memory.work
        # While something drains, each look asks the agents how far their shippers have read.
        if full or work.departed or work != self._published:
            self._agents.submit(work, configuration.patience.drain, recheck=full, new=new)
        if work != self._published:
            self._state.submit(work)
        self._published = work

    def _wait(self) -> None:
        """Sleep until something may have changed, then until a burst may be looked at."""
        self._watch_descriptors()
        timeout = self._timeout()
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
        self._react_to_signals()
        return self._stopping

    def _timeout(self) -> float:
        now = self._clock()
        deadlines = [self._next_full, self._node.next_deadline(now), self._agents.next_deadline()]
        return min(max(min(at for at in deadlines if at is not None) - now, 0.0), LONGEST_SECONDS)

    def _watch_descriptors(self) -> None:
        """Wait on what there is now: inotify may have come or gone."""
        descriptors = (self._node.discovery.fileno(), self._settings_files.fileno())
        wanted = {descriptor for descriptor in descriptors if descriptor is not None}
        registered = {key.fd for key in self._selector.get_map().values()} - {self._wakeup.fileno()}
        for descriptor in registered - wanted:
            self._selector.unregister(descriptor)
        for descriptor in wanted - registered:
            self._selector.register(descriptor, selectors.EVENT_READ)

    def _react_to_signals(self) -> None:
        if self._signals is None:
            return
        if self._signals.take(*STOP_SIGNALS):
            self._stopping = True
        if self._signals.take(signal.SIGHUP):
            logger.info("asked to read the settings again")
            self._reload()

    def _reload(self) -> None:
        """Take new settings if they are good; else report them and go on with the old ones."""
        before = self._configuration
        try:
            self._take(configure(self._given))
        except Exception as error:  # an agent's settings class may raise anything
            self._configuration = before
            self._monitor.reloaded(success=False)
            foreseen = isinstance(error, WatcherError | OSError)
            for line in str(error).splitlines() if foreseen else [repr(error)]:
                text = "the new settings can't be used, the old ones stay: %s"
                trace = None if foreseen else error
                logger.error(  # noqa: TRY400 - a traceback only of what nobody foresaw
                    text, line, extra={"event": "settings-refused"}, exc_info=trace
                )
        else:
            self._monitor.reloaded(success=True)
            logger.info("new settings are in use", extra={"event": "settings-taken"})
        finally:
            # The same descriptor number may stand for another inotify instance now.
            self._next_full = float("-inf")

    def _take(self, new: Configuration) -> None:
        old = self._configuration
        self._http.move(new.watcher.http_address)
        try:
            self._agents.set(new.agents, new.node, state_dir=new.watcher.state_dir)
        except AgentConfigError:
            self._http.move(old.watcher.http_address)
            raise
        self._configuration = new
        self._monitor.configured(new)
        self._published = None
        watcher = new.watcher
        if (watcher.debug, watcher.loglevel, watcher.log_format) != _log_settings(old):
            set_up_logging(new.log_level, json=watcher.log_format == "json")
        if new.files != old.files:
            self._forget_descriptor(self._settings_files.fileno())
            self._settings_files.close()
            self._settings_files = SettingsFiles(new.files)
        if (new.paths, new.access, new.node.node) != (old.paths, old.access, old.node.node):
            node = self._observe(self._node.memory)
            self._stop_observing()
            self._node, self._arrivals = node, Arrivals()
        if watcher.state_dir != old.watcher.state_dir:
            self._status.move(watcher.state_dir)
            self._state.stop(wait_seconds=STOP_SECONDS)
            self._state = StateKeeper.open(watcher.state_dir, self._locks)

    def _forget_descriptor(self, descriptor: int | None) -> None:
        if descriptor is not None and descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)

    def _stop_observing(self) -> None:
        self._forget_descriptor(self._node.discovery.fileno())
        self._node.pod_watch.stop()
        self._node.discovery.close()

    def _shut_down(self) -> None:
        self._http.close()
        self._status.close()
        self._stop_observing()
        self._agents.stop(wait_seconds=STOP_SECONDS)
        self._state.stop(wait_seconds=STOP_SECONDS / 2)
        self._settings_files.close()
        self._selector.close()
        if self._signals is not None:
            self._signals.restore()
        self._wakeup.close()
        logger.info("stopped; the configuration stays in place", extra={"event": "stopped"})


def _log_settings(configuration: Configuration) -> tuple[bool, str, str]:
    watcher = configuration.watcher
    return watcher.debug, watcher.loglevel, watcher.log_format
