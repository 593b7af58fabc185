"""The pods of this node, kept by one list and one watch of the Kubernetes API.

`PodWatch` is in the module ``watch``: who only reads settings does without what speaks HTTP.
"""

from __future__ import annotations

from kube_log_watcher_core.kube.access import ApiAccess, api_access
from kube_log_watcher_core.kube.pod_events import Complaint, PodEvents
from kube_log_watcher_core.kube.status import WatchStatus
from kube_log_watcher_core.kube.timing import Timing

__all__ = ["ApiAccess", "Complaint", "PodEvents", "Timing", "WatchStatus", "api_access"]
