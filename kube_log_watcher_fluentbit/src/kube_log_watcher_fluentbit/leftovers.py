"""Pods whose segments the spool still shows although nobody follows them: the watcher's state was lost.

Fluent Bit reads on in them, and looks their metadata up by their names. So these stay as they are, and no
other pod takes such a name, until the last segment has gone.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable
from pathlib import Path

from kube_log_watcher_fluentbit.names import Name


class Leftovers:
    """Remembers the folders of such pods, and looks again at these alone."""

    def __init__(self) -> None:
        self._folders: dict[Path, tuple[Name, str]] = {}
        """By a pod's folder: its name, and which pod it is."""

    def find(self, spools: Iterable[Path]) -> None:
        """Look at all pods of which there are segments."""
        for spool in spools:
            for folder in _listed(spool):
                parts = folder.split("_")
                if len(parts) == 3 and not folder.startswith("."):
                    namespace, pod, uid = parts
                    self._folders[spool / folder] = (namespace, pod), uid

    def names(self, followed: Container[str]) -> frozenset[Name]:
        """Return the names of pods that are not followed and have segments; forget all others."""
        self._folders = {
            folder: (name, pod)
            for folder, (name, pod) in self._folders.items()
            if pod not in followed and any(file.endswith(".log") for file in _listed(folder))
        }
        return frozenset(name for name, _ in self._folders.values())


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
