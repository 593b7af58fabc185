"""kube-log-watcher's core: what agent authors build on. The names listed here are the public ones."""

from __future__ import annotations

from kube_log_watcher_core.agent import BaseAgent, FileAgent, Pacing
from kube_log_watcher_core.annotations import annotation_for
from kube_log_watcher_core.errors import AgentConfigError, AgentError, WatcherError
from kube_log_watcher_core.files import File, Item, Link, Owned
from kube_log_watcher_core.models import (
    Container,
    FrozenMap,
    Layout,
    LogFile,
    LogTarget,
    NodeContext,
    Objection,
    Owner,
    Pod,
    PodContainer,
    Progress,
)
from kube_log_watcher_core.settings import (
    ENTRIES,
    FLAG,
    JSON_OBJECT,
    NAMES,
    PATH,
    PATHS,
    SECRET,
    TEXT,
    Kind,
    Secret,
    choice,
    count,
    seconds,
    setting,
)

__all__ = [
    "ENTRIES",
    "FLAG",
    "JSON_OBJECT",
    "NAMES",
    "PATH",
    "PATHS",
    "SECRET",
    "TEXT",
    "AgentConfigError",
    "AgentError",
    "BaseAgent",
    "Container",
    "File",
    "FileAgent",
    "FrozenMap",
    "Item",
    "Kind",
    "Layout",
    "Link",
    "LogFile",
    "LogTarget",
    "NodeContext",
    "Objection",
    "Owned",
    "Owner",
    "Pacing",
    "Pod",
    "PodContainer",
    "Progress",
    "Secret",
    "WatcherError",
    "annotation_for",
    "choice",
    "count",
    "seconds",
    "setting",
]
