"""The installed command. It holds signals back before anything is imported that takes its time.

The core's own package imports what agent authors need, which takes a tenth of a second, and far
longer on a node under load: by default SIGHUP would end the process, and process 1 of a container
would not see SIGTERM at all.
"""

from __future__ import annotations

import signal

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP, signal.SIGTERM])


def main() -> None:
    """Do what the command line says, and exit; signals that came meanwhile count now."""
    from kube_log_watcher_core.cli import main as run  # noqa: PLC0415

    run()
