"""``python -m kube_log_watcher_logtail`` prints the shipper, a script for sh."""

from __future__ import annotations

from kube_log_watcher_static import print_shipped

print_shipped("kube_log_watcher_logtail", "ship.sh")
