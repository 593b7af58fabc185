"""Level-triggered reconciliation: whatever happened, the complete list of targets is handed on."""

from __future__ import annotations

from kube_log_watcher_core.reconcile.departures import Departures
from kube_log_watcher_core.reconcile.drain import Accounts, DrainRules, Verdict, bytes_left, judge
from kube_log_watcher_core.reconcile.memory import Memory, Patience
from kube_log_watcher_core.reconcile.waiting import FreshLists, Waiting

__all__ = [
    "Accounts",
    "Departures",
    "DrainRules",
    "FreshLists",
    "Memory",
    "Patience",
    "Verdict",
    "Waiting",
    "bytes_left",
    "judge",
]
