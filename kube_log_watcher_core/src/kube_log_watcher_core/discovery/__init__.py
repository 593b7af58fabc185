"""Which containers have logs on this node: Docker's and CRI runtimes' folders, watched by inotify."""

from __future__ import annotations

from .node import Discovery
from .paths import NodePaths, default_roots, find_containers_path

__all__ = ["Discovery", "NodePaths", "default_roots", "find_containers_path"]
