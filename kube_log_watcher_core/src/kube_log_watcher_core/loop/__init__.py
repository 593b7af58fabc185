"""The daemon: what wakes it, and what it does then."""

from __future__ import annotations

from kube_log_watcher_core.loop.daemon import Daemon
from kube_log_watcher_core.loop.once import AgentResult, look_once, one_pass

__all__ = [
    "AgentResult",
    "Daemon",
    "look_once",
    "one_pass",
]
