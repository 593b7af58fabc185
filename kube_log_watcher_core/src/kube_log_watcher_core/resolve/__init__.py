"""Resolution, pure: (containers, pods, rules, what is known) -> (targets, skipped with reasons)."""

from __future__ import annotations

from kube_log_watcher_core.resolve.decide import resolve
from kube_log_watcher_core.resolve.ownership import owns, shown_pod_of
from kube_log_watcher_core.resolve.rules import Known, Resolution, Rules
from kube_log_watcher_core.resolve.target import as_seen_by_shipper

__all__ = ["Known", "Resolution", "Rules", "as_seen_by_shipper", "owns", "resolve", "shown_pod_of"]
