"""One snapshot of the running watcher, from which health, metrics and ``status`` are read; its log lines."""

from __future__ import annotations

from kube_log_watcher_core.observe.endpoint import HttpEndpoint
from kube_log_watcher_core.observe.monitor import Monitor
from kube_log_watcher_core.observe.snapshot import Snapshot

__all__ = ["HttpEndpoint", "Monitor", "Snapshot"]
