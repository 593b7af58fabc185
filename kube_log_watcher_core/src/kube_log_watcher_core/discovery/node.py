"""The containers of a node, known by listing its folders."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter

import attrs
from inotify_simple import INotify

from kube_log_watcher_core.discovery.cri import PodLogs
from kube_log_watcher_core.discovery.docker import DockerFolder
from kube_log_watcher_core.discovery.inotify import Hint, Watches, open_inotify
from kube_log_watcher_core.discovery.linked_log import LinkedLog
from kube_log_watcher_core.discovery.links import LinkTable
from kube_log_watcher_core.discovery.logfile import Roots, is_absent
from kube_log_watcher_core.discovery.names import is_container_id, parse_pod_folder
from kube_log_watcher_core.discovery.paths import NodePaths
from kube_log_watcher_core.discovery.place import Place, Rotations, Unit
from kube_log_watcher_core.errors import DiscoveryError
from kube_log_watcher_core.models import Container, Obstacle, Reason

POLL_SECONDS = 1.0
"""How often the folders are listed while nothing tells of changes."""
SETTLING_SECONDS = 10.0
"""How long something that may come without an event is looked for; then the full passes do."""

logger = logging.getLogger(__name__)

# Owners of watches that are no unit: no unit's name has a slash.
_ROOT, _LINKS, _PARENT = "/", "/links", "/parent"


class Discovery:
    """Knows the containers of the node, by listing folders; inotify events only say where to look again."""

    def __init__(
        self,
        paths: NodePaths,
        *,
        clock: Callable[[], float] = time.monotonic,
        open_inotify: Callable[[], INotify] = open_inotify,
    ) -> None:
        self._clock = clock
        self._watches = Watches(open_inotify)
        self._place = _place(paths, self._watches, clock)
        self._units: dict[str, Unit] = {}
        self._unsettled: dict[str, float] = {}
        self._problems: dict[str, str] = {}
        self._root: tuple[int, int] | None = None
        self._filled: tuple[int, int] | None = None
        self._containers: tuple[Container, ...] = ()

    def fileno(self) -> int | None:
        """Return the inotify descriptor, None while polling. Ask again after each scan() and collect()."""
        return self._watches.fileno()

    @property
    def polling_reason(self) -> str | None:
        """Why inotify isn't used at the moment."""
        return self._watches.reason

    def poll_seconds(self) -> float | None:
        """How soon to call again although nothing hints at it; None when inotify does it all."""
        if self._root is None or self._watches.reason is not None:
            return POLL_SECONDS
        rotated = self._place.rotations.seconds_to_look()
        if self._settling():
            return POLL_SECONDS if rotated is None else min(POLL_SECONDS, rotated)
        return rotated

    def scan(self) -> tuple[Container, ...]:
        """List everything afresh and renew the watches.

        Raises DiscoveryError when the containers folder can't be read; what is known stays.
        """
        self._watches.open()
        containers = self._list_all()
        self._watches.confirm()
        return containers

    def collect(self) -> tuple[Container, ...]:
        """List again what the events hint at that are there; give all containers.

        The same tuple when nothing has changed. Raises DiscoveryError as scan() does.
        """
        if self._watches.fileno() is None:
            return self._list_all()
        hints = self._watches.read()
        if hints is None or self._root is None or self._root != _identity(self._place.root):
            return self.scan()
        if any(hint.lost and hint.owner == _ROOT for hint in hints):
            return self.scan()
        names = self._settling() | self._place.rotations.overdue()
        for hint in dict.fromkeys(hints):
            names |= self._concerned_by(hint)
        return self._refresh(names) if names else self._containers

    def close(self) -> None:
        """Give the descriptor back."""
        self._watches.close()

    def _list_all(self) -> tuple[Container, ...]:
        root = self._place.root
        self._root = None
        self._watches.read()  # a full listing answers all of them; what comes from here on is kept
        identity = _identity(root)
        self._watches.watch(root, owner=_ROOT)
        try:
            names = os.listdir(root)
            self._place.renew()
        except OSError as error:
            raise DiscoveryError(f"the containers folder {root} can't be read: {error.strerror}") from error
        if not names and self._filled not in (None, identity):
            # Below a mount point is an empty folder: that is no node without containers.
            raise DiscoveryError(f"the containers folder {root} is another one now, and empty: unmounted?")
        self._filled = identity if names else self._filled
        self._place.linked.replace(names)
        self._list_siblings()
        self._root = identity
        return self._refresh({*names, *self._place.linked.units(), *self._units})

    def _list_siblings(self) -> set[str]:
        """List the links beside the pods. While they aren't there, the folder above tells when they come."""
        table = self._place.siblings
        if table is None:
            return set()
        self._watches.watch(table.folder, owner=_LINKS)
        try:
            names = os.listdir(table.folder)
        except OSError as error:
            if not is_absent(error):
                return set()
            self._watches.watch(os.path.dirname(table.folder), owner=_PARENT)
            names = []
            with contextlib.suppress(OSError):
                names = os.listdir(table.folder)  # it may have come before the watch
        else:
            self._watches.release(_PARENT)
        return table.replace(names)

    def _concerned_by(self, hint: Hint) -> set[str]:
        """Return the names of the units that an event may have changed."""
        if hint.owner == _ROOT:
            return {hint.name} | self._place.linked.look(hint.name)
        table = self._place.siblings
        if table is not None and hint.owner in (_LINKS, _PARENT):
            if hint.owner == _LINKS and not hint.lost:
                return table.look(hint.name) & self._units.keys()
            is_meant = hint.lost or hint.name == os.path.basename(table.folder)
            return self._list_siblings() & self._units.keys() if is_meant else set()
        unit = self._units.get(hint.owner)
        return {hint.owner} if unit is not None and (hint.lost or unit.concerns(hint.name)) else set()

    def _settling(self) -> set[str]:
        until = self._clock() - SETTLING_SECONDS
        return {name for name, since in self._unsettled.items() if since > until}

    def _refresh(self, names: Iterable[str]) -> tuple[Container, ...]:
        """Look at these units again."""
        changed = False
        for name in sorted(names):  # whoever comes second does so at each start
            unit = self._units.get(name) or self._make(name)
            if unit is not None:
                changed |= self._refresh_unit(unit)
        if changed:
            everything = [one for unit in self._units.values() for one in unit.containers]
            if len({one.key for one in everything}) < len(everything):
                everything = list(self._one_for_each_key())
            self._containers = tuple(sorted(everything, key=attrgetter("key")))
        return self._containers

    def _refresh_unit(self, unit: Unit) -> bool:
        """Look at a unit again; tell whether its containers have changed."""
        before = unit.containers if unit.name in self._units else ()
        try:
            there, problem = unit.refresh(), ""
        except OSError as error:
            there, problem = True, f"{error.filename} can't be read ({error.strerror})"
            unit.containers = unit.containers or (unit.unreadable(f"{problem}; it is tried again"),)
        self._complain(unit.name, problem)
        if not there:
            self._units.pop(unit.name, None)
            self._unsettled.pop(unit.name, None)
            self._place.rotations.settle(unit.name, ())
            self._watches.release(unit.name)
            return bool(before)
        self._units[unit.name] = unit
        if unit.unsettled:
            self._unsettled.setdefault(unit.name, self._clock())
        else:
            self._unsettled.pop(unit.name, None)
        # By identity: a log that was rotated is equal to what it was.
        return [id(each) for each in before] != [id(each) for each in unit.containers]

    def _complain(self, unit: str, problem: str) -> None:
        """Tell once when something can't be read, and once when it can be again."""
        before = self._problems.pop(unit, "")
        if problem:
            self._problems[unit] = problem
            if problem != before:
                logger.warning("%s: what is known of it stays", problem)
        elif before:
            logger.warning("all of %s/%s can be read again", self._place.root, unit)

    def _one_for_each_key(self) -> Iterator[Container]:
        """Yield all containers, those with another key that have what another has: links come second."""
        found: dict[str, str] = {}
        for unit in sorted(self._units.values(), key=lambda unit: isinstance(unit, LinkedLog)):
            for one in unit.containers:
                first = found.setdefault(one.key, unit.name)
                if first == unit.name:
                    yield one
                else:
                    detail = f"{unit.name} leads to the same log as {first}, which was there first"
                    taken = Obstacle(Reason.TAKEN, detail)
                    yield attrs.evolve(one, key=unit.name, log_path=None, obstacle=taken)

    def _make(self, name: str) -> Unit | None:
        """Make the unit that a name stands for; None for what is nobody's container."""
        layout = self._place.layout
        if layout != "cri" and is_container_id(name):
            return DockerFolder(name, self._place)
        if layout == "docker":
            return None
        folder = parse_pod_folder(name)
        if folder is not None and not name.endswith(".log"):
            return PodLogs(name, self._place, folder)
        return LinkedLog(name, self._place) if name.endswith(".log") else None


def _place(paths: NodePaths, watches: Watches, clock: Callable[[], float]) -> Place:
    root = str(paths.containers)
    beside = paths.containers.parent / "containers"
    return Place(
        root=root,
        layout=paths.layout,
        roots=Roots(paths.roots),
        watches=watches,
        linked=LinkTable(root),
        siblings=LinkTable(str(beside)) if paths.layout != "docker" and str(beside) != root else None,
        rotations=Rotations(clock),
    )


def _identity(folder: str) -> tuple[int, int] | None:
    """Tell one folder from another that has taken its place."""
    try:
        found = os.stat(folder)
    except OSError:
        return None
    return found.st_dev, found.st_ino
