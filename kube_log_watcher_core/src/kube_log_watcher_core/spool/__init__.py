"""Hard links that keep each file of a log until it has been read, whatever becomes of the log."""

from __future__ import annotations

from kube_log_watcher_core.spool.disk import SpoolDisk
from kube_log_watcher_core.spool.dry import DrySpoolDisk
from kube_log_watcher_core.spool.janitor import Chores, Janitor, SegmentKey, Swept
from kube_log_watcher_core.spool.keeper import ClosedSegment, SpoolKeeper
from kube_log_watcher_core.spool.release import (
    LOOK_SECONDS,
    Closed,
    SpoolRules,
    is_done_with,
    seconds_between_looks,
)
from kube_log_watcher_core.spool.spool import Spool
from kube_log_watcher_core.spool.spooled import Segment, Spooled
from kube_log_watcher_core.spool.trial import trial
from kube_log_watcher_core.spool.view import FOLLOWED_BEFORE, SpoolView

__all__ = [
    "FOLLOWED_BEFORE",
    "LOOK_SECONDS",
    "Chores",
    "Closed",
    "ClosedSegment",
    "DrySpoolDisk",
    "Janitor",
    "Segment",
    "SegmentKey",
    "Spool",
    "SpoolDisk",
    "SpoolKeeper",
    "SpoolRules",
    "SpoolView",
    "Spooled",
    "Swept",
    "is_done_with",
    "seconds_between_looks",
    "trial",
]
