"""``python -m kube_log_watcher_syslogng`` prints the static configuration for syslog-ng."""

from __future__ import annotations

from kube_log_watcher_static import print_shipped

if __name__ == "__main__":
    print_shipped("kube_log_watcher_syslogng", "syslog-ng.conf")
