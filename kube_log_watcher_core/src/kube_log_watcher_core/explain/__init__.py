"""Why a log is shipped or not, and how the node is: the chain of decisions, status, and who answers."""

from __future__ import annotations

from kube_log_watcher_core.explain.answers import Answers
from kube_log_watcher_core.explain.documents import explanation_document
from kube_log_watcher_core.explain.query import Query, parse_query
from kube_log_watcher_core.explain.remedies import HARMLESS
from kube_log_watcher_core.explain.socket import StatusDoor, ask

__all__ = [
    "HARMLESS",
    "Answers",
    "Query",
    "StatusDoor",
    "ask",
    "explanation_document",
    "parse_query",
]
