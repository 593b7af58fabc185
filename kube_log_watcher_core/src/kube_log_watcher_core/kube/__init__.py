"""The pods of this node, kept by one list and one watch of the Kubernetes API."""

from __future__ import annotations

from kube_log_watcher_core.kube.access import ApiAccess, api_access
from kube_log_watcher_core.kube.status import WatchStatus
from kube_log_watcher_core.kube.timing import Timing
from kube_log_watcher_core.kube.watch import PodWatch

__all__ = ["ApiAccess", "PodWatch", "Timing", "WatchStatus", "api_access"]
