"""``python -m kube_log_watcher_core``."""

from __future__ import annotations

from kube_log_watcher_core.cli import main

if __name__ == "__main__":
    main()
