"""Who makes, calls, paces, retries and closes an agent, its folder lock and its thread."""

from __future__ import annotations

from kube_log_watcher_core.agents.answers import (
    AgentReport,
    Question,
    ask_directly,
    objection_reports,
    told_of,
)
from kube_log_watcher_core.agents.folders import Claim, ExclusiveFolders, FolderLocks, FolderTaken, Turn
from kube_log_watcher_core.agents.objections import Objections
from kube_log_watcher_core.agents.running import Handed, close_agent, make_agent
from kube_log_watcher_core.agents.status import AgentStatus
from kube_log_watcher_core.agents.supervisor import NewAgents, Supervisor
from kube_log_watcher_core.agents.sync_stats import Histogram
from kube_log_watcher_core.agents.worker import NotNow, Worker, WorkerStatus

__all__ = [
    "AgentReport",
    "AgentStatus",
    "Claim",
    "ExclusiveFolders",
    "FolderLocks",
    "FolderTaken",
    "Handed",
    "Histogram",
    "NewAgents",
    "NotNow",
    "Objections",
    "Question",
    "Supervisor",
    "Turn",
    "Worker",
    "WorkerStatus",
    "ask_directly",
    "close_agent",
    "make_agent",
    "objection_reports",
    "told_of",
]
