"""What all units of a node share, and what a unit is."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

import attrs

from kube_log_watcher_core.discovery.inotify import Watches
from kube_log_watcher_core.discovery.links import LinkTable, Run
from kube_log_watcher_core.discovery.logfile import Log, Roots, is_rotated
from kube_log_watcher_core.models import Container

ROTATION_SECONDS = 150.0
"""How long a log may be away while files that were rotated from it stay.

It is 0.1 to 2 ms, as a rule. But the kubelet gives a runtime 2 minutes to open the new file, and moves
the old one back when it doesn't.
"""


class Unit(Protocol):
    """What is looked at as one: a Docker container's folder, a pod's folder, or a link."""

    name: str
    containers: tuple[Container, ...]
    unsettled: bool
    """What is missing may come without an event."""

    def refresh(self) -> bool:
        """Look at it again; False when it is no longer there.

        Raises OSError when it can't be looked at, or not at all of it: `containers` are then what is known.
        """
        ...

    def unreadable(self, problem: str) -> Container:
        """Return what stands for it while it could never be looked at."""
        ...

    def concerns(self, name: str) -> bool:
        """Whether a change of that entry in one of its folders can mean anything."""
        ...


class Rotations:
    """Since when logs that are known have been away, between rename and creation."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: dict[tuple[str, str], float] = {}
        """By unit and container's key."""

    def stay(self, found: Log, known: Container | None, *, unit: str, rotated: bool | None = None) -> Log:
        """Return the known log where what was found missing is being rotated, or can't be seen just now.

        `rotated` tells whether files that were rotated from it are there; None: look whether they are.
        """
        if known is None or known.log_path is None:
            return found
        if found.unknown:
            return attrs.evolve(found, target=str(known.log_path), obstacle=None)
        away = found.missing and str(known.log_path) == found.target
        if away and (is_rotated(found.target) if rotated is None else rotated):
            now = self._clock()
            if now - self._since.setdefault((unit, known.key), now) < ROTATION_SECONDS:
                return attrs.evolve(found, obstacle=None)
        self._since.pop((unit, known.key), None)
        return found

    def settle(self, unit: str, keys: Collection[str]) -> None:
        """Forget those of a unit's logs that are gone for good: it has only these any more."""
        for each in [each for each in self._since if each[0] == unit and each[1] not in keys]:
            del self._since[each]

    def overdue(self) -> set[str]:
        """Return the units with a log that has been away for too long."""
        until = self._clock() - ROTATION_SECONDS
        return {unit for (unit, _), since in self._since.items() if since <= until}

    def seconds_to_look(self) -> float | None:
        """Return how soon a log will have been away for too long; None when none is away."""
        if not self._since:
            return None
        return max(min(self._since.values()) + ROTATION_SECONDS - self._clock(), 0.0)


@attrs.define
class Place:
    """The containers folder and what belongs to it."""

    root: str
    layout: str
    roots: Roots
    watches: Watches
    linked: LinkTable
    """The links in the containers folder itself."""
    siblings: LinkTable | None
    """Those in the folder `containers` beside it: they tell ids and nothing else."""
    rotations: Rotations
    real: str = ""
    """The resolved path of the containers folder."""

    def renew(self) -> None:
        """Resolve paths afresh. Raises OSError when the containers folder can't be."""
        self.real = os.path.realpath(self.root)
        self.roots.renew()

    def id_of(self, run: Run) -> str | None:
        """Return the container id of a run, where a link tells it."""
        return self.linked.id_of(run) or (self.siblings.id_of(run) if self.siblings else None)


def keep_equal(known: Mapping[str, Container], new: Container) -> Container:
    """Return the known container where nothing about it has changed, and its log was not rotated."""
    old = known.get(new.key)
    return old if old is not None and old == new and new.inode in (None, old.inode) else new
