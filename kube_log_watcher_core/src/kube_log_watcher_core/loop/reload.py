"""Settings take effect in two steps: all that they need is prepared beside what runs, then it takes over.

Preparing may fail and may take its time, for agents are made and checked, names are resolved, files
are read: that is done in a thread of its own, and changes nothing. Taking over can't fail.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

import attrs

from kube_log_watcher_core.agents import FolderLocks, NewAgents, Supervisor
from kube_log_watcher_core.configuration import Configuration
from kube_log_watcher_core.discovery import Discovery
from kube_log_watcher_core.errors import AgentConfigError
from kube_log_watcher_core.explain import Answers, StatusDoor
from kube_log_watcher_core.kube.watch import PodWatch
from kube_log_watcher_core.loop.node_pass import NodePass
from kube_log_watcher_core.loop.settings_files import SettingsFiles
from kube_log_watcher_core.loop.spooling import Spooling
from kube_log_watcher_core.loop.state_keeper import StateKeeper
from kube_log_watcher_core.models import Work
from kube_log_watcher_core.observe import HttpEndpoint, Monitor
from kube_log_watcher_core.reconcile import Reconciler

logger = logging.getLogger(__name__)

PREPARE_SECONDS = 30.0
"""How long all of it may take: an agent's check looks at folders and files, which may hang on a network."""


@attrs.frozen(kw_only=True)
class Parts:
    """What the daemon runs on, by one configuration. What no setting changed is the same object as before."""

    configuration: Configuration
    files: SettingsFiles
    agents: NewAgents
    http: HttpEndpoint | None
    door: StatusDoor | None
    state: StateKeeper | None
    node: NodePass
    discard: Callable[[], None]
    """Let go of all that is new: it is not wanted after all."""


@attrs.frozen(kw_only=True)
class PartsBuilder:
    """Makes the parts that settings need, with what outlives all settings."""

    supervisor: Supervisor
    locks: FolderLocks
    monitor: Monitor
    answers: Answers
    reconciler_of: Callable[[Work], Reconciler]
    """Makes the reconciler, from what an earlier process left."""
    wake: Callable[[], None]
    clock: Callable[[], float]
    wall: Callable[[], float]

    def build(self, new: Configuration, old: Parts | None, *, tell: Callable[[str], None]) -> Parts:
        """Prepare what these settings need and the old parts don't have.

        Raises `SettingsError` when nobody can listen on the address for health and metrics, and
        `AgentConfigError` when an agent can't work here.
        """
        watcher, before = new.watcher, None if old is None else old.configuration
        with contextlib.ExitStack() as undo:
            tell("the address for health and metrics is looked up")
            http = None if old is None else old.http
            if watcher.http_address is None:
                http = None
            elif http is None or watcher.http_address != http.address:
                http = HttpEndpoint(watcher.http_address, self.monitor.snapshot, beside=http)
                undo.callback(http.close)
            tell("the settings' own files are watched")
            files = None if old is None else old.files
            if files is None or before is None or new.files.keys() != before.files.keys():
                files = SettingsFiles(new.files)
                undo.callback(files.close)
            agents = self.supervisor.prepare(new.agents, new.node, state_dir=watcher.state_dir, tell=tell)
            undo.callback(agents.discard)
            tell("the state folder is looked at")
            state, door = (None, None) if old is None else (old.state, old.door)
            if before is None or watcher.state_dir != before.watcher.state_dir:
                state, door = self._state(new, undo)
            node = None if old is None else old.node
            if node is None or before is None or _seen_from(new) != _seen_from(before):
                left = Work() if old is not None or state is None else state.load(new.rules, new.paths.roots)
                node = self._observe(new, node, left, state, undo)
            discard = undo.pop_all().close
        return Parts(
            configuration=new,
            files=files,
            agents=agents,
            http=http,
            door=door,
            state=state,
            node=node,
            discard=discard,
        )

    def _state(
        self, new: Configuration, undo: contextlib.ExitStack
    ) -> tuple[StateKeeper | None, StatusDoor | None]:
        folder = new.watcher.state_dir
        if folder is None:
            logger.info("WATCHER_STATE_DIR is not set: what is known is lost with a restart")
            return None, None
        state = StateKeeper(folder, self.locks, on_kept=self.wake, clock=self.clock)
        door = StatusDoor(folder, self.locks, self.answers.answer)
        for part, end in ((state, state.stop), (door, door.close)):
            part.start()
            undo.callback(end)
        return state, door

    def _observe(
        self,
        new: Configuration,
        old: NodePass | None,
        left: Work,
        state: StateKeeper | None,
        undo: contextlib.ExitStack,
    ) -> NodePass:
        def begin_anew() -> tuple[Reconciler, Work]:
            left = Work() if state is None else state.load(new.rules, new.paths.roots)
            return self.reconciler_of(left), left

        if old is not None:
            reconciler, spooling = old.reconciler, old.spooling
        else:
            reconciler = self.reconciler_of(left)
            spooling = Spooling(
                new.watcher.spool_dir,
                left,
                roots=new.paths.roots,
                rules=new.spool_rules,
                locks=self.locks,
                wall=self.wall,
                clock=self.clock,
                on_swept=self.wake,
            )
        discovery = Discovery(new.paths)
        undo.callback(discovery.close)
        pod_watch = PodWatch(new.access, node_name=new.watcher.cluster_node_name, on_change=self.wake)
        pod_watch.start()
        undo.callback(pod_watch.stop)
        return NodePass(discovery, pod_watch, reconciler, spooling, begin_anew=begin_anew)


def _seen_from(configuration: Configuration) -> tuple[object, ...]:
    """Return what says where the node and the API are seen from."""
    return configuration.paths, configuration.access, configuration.node.node


class Preparation:
    """Prepares parts in a thread of its own, for a bounded time, and wakes the loop when that is over.

    Parameters
    ----------
    prepare
        may raise anything; it is given a function that it tells what it is about to do.
    deadline
        when to give it up, by whatever clock `outcome` is told.
    """

    def __init__(
        self,
        prepare: Callable[[Callable[[str], None]], Parts],
        *,
        wake: Callable[[], None],
        deadline: float,
    ) -> None:
        self.deadline = deadline
        self._prepare = prepare
        self._wake = wake
        self._mutex = threading.Lock()
        self._doing = "they are read"
        self._outcome: Parts | BaseException | None = None
        self._given_up = False
        threading.Thread(target=self._run, name="prepare-settings", daemon=True).start()

    def outcome(self, now: float) -> Parts | BaseException | None:
        """Return the parts, or why there are none; None while they are being prepared."""
        with self._mutex:
            if self._outcome is None and now >= self.deadline:
                self._given_up = True
                return AgentConfigError(f"not ready after {PREPARE_SECONDS:g} s, while {self._doing}")
            return self._outcome

    def give_up(self) -> None:
        """Want no parts any more; those that come later are let go of."""
        with self._mutex:
            self._given_up = True
            outcome = self._outcome
        if isinstance(outcome, Parts):
            outcome.discard()

    def _run(self) -> None:
        try:
            outcome: Parts | BaseException = self._prepare(self._tell)
        except BaseException as error:  # noqa: BLE001 - somebody's settings class or agent may raise anything
            outcome = error
        with self._mutex:
            self._outcome = outcome
            given_up = self._given_up
        if given_up and isinstance(outcome, Parts):
            outcome.discard()
        self._wake()

    def _tell(self, doing: str) -> None:
        self._doing = doing
