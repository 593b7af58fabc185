"""Who makes, calls, paces, retries and closes an agent, its folder lock and its thread."""

from __future__ import annotations

from kube_log_watcher_core.agents.answers import AgentReport, told_of
from kube_log_watcher_core.agents.folder_lock import Claim, FolderLocks, FolderTaken
from kube_log_watcher_core.agents.holding import Holding
from kube_log_watcher_core.agents.status import AgentStatus
from kube_log_watcher_core.agents.supervisor import AgentWorkers, close_agent, make_agent
from kube_log_watcher_core.agents.sync_stats import Histogram
from kube_log_watcher_core.agents.worker import NotNow, Worker, WorkerStatus

__all__ = [
    "AgentReport",
    "AgentStatus",
    "AgentWorkers",
    "Claim",
    "FolderLocks",
    "FolderTaken",
    "Histogram",
    "Holding",
    "NotNow",
    "Worker",
    "WorkerStatus",
    "close_agent",
    "make_agent",
    "told_of",
]
