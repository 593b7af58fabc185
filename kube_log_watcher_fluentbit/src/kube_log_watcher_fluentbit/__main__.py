"""``python -m kube_log_watcher_fluentbit`` prints the static configuration of Fluent Bit."""

from __future__ import annotations

from kube_log_watcher_static import print_shipped

print_shipped("kube_log_watcher_fluentbit", "fluent-bit.yaml")
