"""Removes what is stale and ours: by name and kind, never through a link, never a foreign file."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.errors import AgentError
from kube_log_watcher_core.files.disk import Disk, is_temporary_of
from kube_log_watcher_core.files.faults import attributed
from kube_log_watcher_core.files.items import Owned


def prune(disk: Disk, home: Owned, *, keep: Collection[Path]) -> list[AgentError]:
    """Remove every owned name below a folder that is not kept, and folders of ours left empty.

    Returns the faults; one of them doesn't keep the rest from being pruned.
    """
    pruning = _Pruning(disk=disk, home=home, keep=keep)
    try:
        with attributed(home.folder, is_folder=True), disk.folder(home.folder) as fd:
            pruning.level(fd, at=home.folder, pattern=home.pattern)
    except AgentError as fault:
        pruning.faults.append(fault)
    return pruning.faults


@attrs.frozen
class _Pruning:
    disk: Disk
    home: Owned
    keep: Collection[Path]
    faults: list[AgentError] = attrs.field(factory=list)

    def level(self, fd: int, *, at: Path, pattern: Sequence[re.Pattern[str]]) -> None:
        for name in self.disk.names(fd):
            path = at / name
            try:
                # What is gone meanwhile need not be removed.
                with attributed(path), contextlib.suppress(FileNotFoundError):
                    if len(pattern) > 1:
                        self.folder(fd, at=path, pattern=pattern)
                    elif path not in self.keep and _is_ours(name, pattern[0]):
                        _remove_leaf(self.disk, self.home, fd=fd, name=name)
            except AgentError as fault:
                self.faults.append(fault)

    def folder(self, fd: int, *, at: Path, pattern: Sequence[re.Pattern[str]]) -> None:
        if pattern[0].fullmatch(at.name) and self.disk.kind(fd, at.name) == "folder":
            with self.disk.inside(fd, at.name, make=False) as inner:
                self.level(inner, at=at, pattern=pattern[1:])
            self.disk.remove_folder(fd, at.name)


def _is_ours(name: str, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(name) is not None or is_temporary_of(name, pattern)


def remove(disk: Disk, home: Owned, path: Path) -> None:
    """Remove one name that this process wrote, and folders of ours that are left empty.

    Raises
    ------
    AgentError
        when the disk refuses. What is gone already is fine.
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
