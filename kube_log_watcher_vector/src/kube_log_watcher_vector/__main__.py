"""``python -m kube_log_watcher_vector`` prints a configuration for Vector."""

from __future__ import annotations

from kube_log_watcher_static import print_shipped

if __name__ == "__main__":
    print_shipped("kube_log_watcher_vector", "vector.yaml")
