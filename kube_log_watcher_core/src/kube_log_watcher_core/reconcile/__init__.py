"""A log's life: `life` has its states and the rules between them, `drain` its end, `reconciler` each pass."""

from __future__ import annotations

from kube_log_watcher_core.reconcile.accounts import Accounts
from kube_log_watcher_core.reconcile.changelog import log_changes
from kube_log_watcher_core.reconcile.drain import (
    AgentDrain,
    DrainRules,
    DrainTally,
    Evidence,
    Verdict,
    says_all_is_read,
)
from kube_log_watcher_core.reconcile.life import Change, Life, Pass, State
from kube_log_watcher_core.reconcile.reconciler import Reconciler, Timeouts

__all__ = [
    "Accounts",
    "AgentDrain",
    "Change",
    "DrainRules",
    "DrainTally",
    "Evidence",
    "Life",
    "Pass",
    "Reconciler",
    "State",
    "Timeouts",
    "Verdict",
    "log_changes",
    "says_all_is_read",
]
