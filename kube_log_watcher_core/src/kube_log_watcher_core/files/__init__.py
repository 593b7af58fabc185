"""Files and links on disk, made to match what an agent wants: compare, write atomically, prune last."""

from __future__ import annotations

from kube_log_watcher_core.files.disk import Disk
from kube_log_watcher_core.files.dry import Change, DryDisk
from kube_log_watcher_core.files.items import File, Item, Link, Owned
from kube_log_watcher_core.files.mirror import Mirror
from kube_log_watcher_core.files.part import part_about

__all__ = [
    "Change",
    "Disk",
    "DryDisk",
    "File",
    "Item",
    "Link",
    "Mirror",
    "Owned",
    "part_about",
]
