"""Level-triggered reconciliation: whatever happened, the complete list of targets is handed on."""

from __future__ import annotations

from kube_log_watcher_core.reconcile.memory import Memory
from kube_log_watcher_core.reconcile.waiting import PodsNotSeen, Waiting
from kube_log_watcher_core.reconcile.worker import Worker, WorkerStatus

__all__ = ["Memory", "PodsNotSeen", "Waiting", "Worker", "WorkerStatus"]
