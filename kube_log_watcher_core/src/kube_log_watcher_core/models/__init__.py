"""The data that flows from discovery and the API to the agents. All of it is frozen."""

from __future__ import annotations

from kube_log_watcher_core.models.containers import Container, Layout, Obstacle, Reason
from kube_log_watcher_core.models.pods import (
    FrozenMap,
    Owner,
    Pod,
    PodContainer,
    Pods,
    UnreadablePod,
    epoch_seconds,
)
from kube_log_watcher_core.models.targets import (
    Departed,
    LogFile,
    LogTarget,
    NodeContext,
    Objection,
    Progress,
    Remark,
    Skipped,
    Work,
)

__all__ = [
    "Container",
    "Departed",
    "FrozenMap",
    "Layout",
    "LogFile",
    "LogTarget",
    "NodeContext",
    "Objection",
    "Obstacle",
    "Owner",
    "Pod",
    "PodContainer",
    "Pods",
    "Progress",
    "Reason",
    "Remark",
    "Skipped",
    "UnreadablePod",
    "Work",
    "epoch_seconds",
]
