"""What all units of a node share, and what a unit is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Protocol

import attrs

from kube_log_watcher_core.discovery.inotify import Watches
from kube_log_watcher_core.discovery.links import LinkTable, Run
from kube_log_watcher_core.discovery.logfile import Log, Roots, is_rotated
from kube_log_watcher_core.models import Container


class Unit(Protocol):
    """What is looked at as one: a Docker container's folder, a pod's folder, or a link."""

    name: str
    containers: tuple[Container, ...]
    unsettled: bool
    """What is missing may come without an event."""

    def refresh(self) -> bool:
        """Look at it again; False when it is no longer there."""
        ...

    def concerns(self, name: str) -> bool:
        """Tell whether a change of that entry in one of its folders can mean anything."""
        ...


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
    real: str = ""
    """The resolved path of the containers folder."""

    def renew(self) -> None:
        """Resolve paths afresh."""
        self.real = os.path.realpath(self.root)
        self.roots.renew()

    def id_of(self, run: Run) -> str | None:
        """Give the container id of a run, where a link tells it."""
        return self.linked.id_of(run) or (self.siblings.id_of(run) if self.siblings else None)


def stay_through_rotation(found: Log, known: Container | None) -> Log:
    """Give the known log where what was found missing is only being rotated, or can't be seen just now."""
    if not found.missing or known is None or str(known.log_path) != found.target:
        return found
    if found.unknown or is_rotated(found.target):
        return attrs.evolve(found, obstacle=None)
    return found


def keep_equal(known: Mapping[str, Container], new: Container) -> Container:
    """Give the known container where nothing about it has changed."""
    old = known.get(new.key)
    return old if old == new else new
