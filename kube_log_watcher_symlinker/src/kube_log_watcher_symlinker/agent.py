"""The agent: one link for each log, with what is known of it in the link's path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from kube_log_watcher_core import FileAgent, Link, LogTarget, Owned
from kube_log_watcher_symlinker.settings import SymlinkerSettings

_LONGEST_PART = 200
"""Bytes: file systems allow 255, and the ending and a temporary name need some."""

_PART = rf"[A-Za-z0-9_-]{{1,{_LONGEST_PART}}}"
_PATTERN = ("[0-9a-f]+", *[_PART] * 6, rf"{_PART}\.log")


class SymlinkerAgent(FileAgent[SymlinkerSettings]):
    """Keeps a tree of links that carry each log's metadata in their path."""

    settings_class = SymlinkerSettings
    name = "symlinker"

    def render(self, targets: Sequence[LogTarget]) -> Iterable[Link]:
        """Return one link for each target."""
        return self.each(targets, self._link)

    def owned(self) -> Iterable[Owned]:
        """Return the links at exactly the tree's depth, below a container id."""
        return (Owned(self.settings.symlink_dir, _PATTERN, links=True),)

    def _link(self, target: LogTarget) -> Link:
        return Link(self.settings.symlink_dir / link_path(target), target.log_path)


def link_path(target: LogTarget) -> Path:
    """Return a target's place in the tree."""
    parts = (
        target.application,
        target.component or target.application,
        target.namespace,
        target.environment,
        target.version,
        target.container_name,
    )
    return Path(target.id, *map(safe_part, parts), f"{safe_part(target.pod_name)}.log")


def safe_part(text: str | None) -> str:
    """Return a text as one component of a path, ``none`` for an empty one."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text or "")[:_LONGEST_PART] or "none"
