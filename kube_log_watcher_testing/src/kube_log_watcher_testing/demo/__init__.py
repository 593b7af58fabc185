"""``demo``: the main job on embedded nodes and an embedded API server, for people to look at."""

from __future__ import annotations

from kube_log_watcher_testing.demo.command import demo

__all__ = ["demo"]
