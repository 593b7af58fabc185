"""``once --dry-run --sample``: what agents make of a sample node, without a node and without a cluster."""

from __future__ import annotations

from kube_log_watcher_core.cli.sample.show import show_sample

__all__ = ["show_sample"]
