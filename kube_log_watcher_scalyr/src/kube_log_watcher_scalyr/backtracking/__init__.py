"""Tells which regular expressions could keep the Scalyr agent busy for ages with one line."""

from __future__ import annotations

from kube_log_watcher_scalyr.backtracking.guard import AMBIGUOUS, COMPLICATED, CROWDED, danger

__all__ = ["AMBIGUOUS", "COMPLICATED", "CROWDED", "danger"]
