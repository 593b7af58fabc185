"""The daemon: what wakes it, and what it does then."""

from __future__ import annotations

from kube_log_watcher_core.loop.daemon import Daemon

__all__ = ["Daemon"]
