"""``sample``: what agents make of a made-up node, without a node and without a cluster."""

from __future__ import annotations

from kube_log_watcher_testing.sample.command import sample

__all__ = ["sample"]
