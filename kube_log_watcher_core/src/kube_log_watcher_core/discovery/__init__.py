"""Which containers have logs on this node: Docker's and CRI runtimes' folders, watched by inotify."""

from __future__ import annotations

from kube_log_watcher_core.discovery.logfile import size_of_log
from kube_log_watcher_core.discovery.node import Discovery
from kube_log_watcher_core.discovery.paths import NodePaths, default_roots, find_containers_path

__all__ = ["Discovery", "NodePaths", "default_roots", "find_containers_path", "size_of_log"]
