"""Removes what is stale and ours: by name and kind, never through a link, never a foreign file."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.errors import AgentError
from kube_log_watcher_core.files.disk import Disk, is_temporary_of
from kube_log_watcher_core.files.faults import Spared, attributed
from kube_log_watcher_core.files.items import Owned


@attrs.frozen
class Pruned:
    """What came of a removal of all that is stale below a folder."""

    left: list[Path] = attrs.field(factory=list)
    """Names of ours that are stale and still there: they were to be spared, or could not be removed."""
    errors: list[AgentError] = attrs.field(factory=list)
    unseen: bool = False
    """Whether there is a folder that could not be looked into."""


def prune(disk: Disk, home: Owned, *, keep: Collection[Path], spared: Spared) -> Pruned:
    """Remove every owned name below a folder that is neither kept nor spared, and folders left empty.

    One error doesn't keep the rest from being pruned.
    """
    pruning = _Pruning(disk=disk, home=home, keep=keep, spared=spared)
    try:
        with attributed(home.folder, is_folder=True), disk.folder(home.folder) as fd:
            pruning.level(fd, at=home.folder, pattern=home.pattern)
    except AgentError as error:
        pruning.unseen.append(error)
    return Pruned(pruning.left, [*pruning.unseen, *pruning.errors], unseen=bool(pruning.unseen))


@attrs.frozen
class _Pruning:
    disk: Disk
    home: Owned
    keep: Collection[Path]
    spared: Spared
    left: list[Path] = attrs.field(factory=list)
    errors: list[AgentError] = attrs.field(factory=list)
    unseen: list[AgentError] = attrs.field(factory=list)

    def level(self, fd: int, *, at: Path, pattern: Sequence[re.Pattern[str]]) -> None:
        for name in self.disk.names(fd):
            if len(pattern) > 1:
                self.below(fd, at=at / name, pattern=pattern)
            elif at / name not in self.keep and (
                pattern[0].fullmatch(name) or is_temporary_of(name, pattern[0])
            ):
                self.leaf(fd, at / name)

    def leaf(self, fd: int, path: Path) -> None:
        if path in self.spared:
            self.left.append(path)
            return
        try:
            # What is gone meanwhile need not be removed.
            with attributed(path), contextlib.suppress(FileNotFoundError):
                _remove_leaf(self.disk, self.home, fd=fd, name=path.name)
        except AgentError as error:
            self.left.append(path)
            self.errors.append(error)

    def below(self, fd: int, *, at: Path, pattern: Sequence[re.Pattern[str]]) -> None:
        try:
            with attributed(at), contextlib.suppress(FileNotFoundError):
                self.folder(fd, at=at, pattern=pattern)
        except AgentError as error:
            self.unseen.append(error)

    def folder(self, fd: int, *, at: Path, pattern: Sequence[re.Pattern[str]]) -> None:
        if pattern[0].fullmatch(at.name) and self.disk.kind(fd, at.name) == "folder":
            with self.disk.inside(fd, at.name, make=False) as inner:
                self.level(inner, at=at, pattern=pattern[1:])
            self.disk.remove_folder(fd, at.name)


def remove(disk: Disk, home: Owned, path: Path) -> None:
    """Remove one name that this process wrote, and folders of ours that are left empty.

    Raises `AgentError` when the disk refuses. What is gone already is fine.
    """
    parts = path.relative_to(home.folder).parts
    with (
        attributed(home.folder, is_folder=True),
        disk.folder(home.folder) as fd,
        attributed(path),
        contextlib.suppress(FileNotFoundError),
    ):
        _remove_below(disk, home, fd=fd, parts=parts)


def _remove_below(disk: Disk, home: Owned, *, fd: int, parts: Sequence[str]) -> None:
    name = parts[0]
    if len(parts) == 1:
        _remove_leaf(disk, home, fd=fd, name=name)
    elif disk.kind(fd, name) == "folder":
        with disk.inside(fd, name, make=False) as inner:
            _remove_below(disk, home, fd=inner, parts=parts[1:])
        disk.remove_folder(fd, name)


def _remove_leaf(disk: Disk, home: Owned, *, fd: int, name: str) -> None:
    if disk.kind(fd, name) == ("link" if home.links else "file"):
        disk.remove(fd, name)
