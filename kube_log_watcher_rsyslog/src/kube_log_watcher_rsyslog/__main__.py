"""``python -m kube_log_watcher_rsyslog`` prints the static configuration for rsyslog."""

from __future__ import annotations

from kube_log_watcher_static import print_shipped

if __name__ == "__main__":
    print_shipped("kube_log_watcher_rsyslog", "rsyslog.conf")
