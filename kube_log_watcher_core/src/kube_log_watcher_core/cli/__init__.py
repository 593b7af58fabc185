"""The command line: ``kube-log-watcher``, also ``python -m kube_log_watcher_core``."""

from __future__ import annotations

import gc
import sys

from kube_log_watcher_core.cli.stopping import (
    drop_what_nobody_reads,
    exit_on_sigterm,
    hold_early_sighup,
    stand_in_for_closed_streams,
)

__all__ = ["main"]


def main() -> None:
    """Do what the command line says, and exit."""
    # First of all, before anything large is imported: process 1 of a container that has no handler
    # does not get SIGTERM at all.
    exit_on_sigterm(0)
    hold_early_sighup(sys.argv[1:])
    stand_in_for_closed_streams()
    from kube_log_watcher_core.cli.app import program  # noqa: PLC0415
    from kube_log_watcher_core.cli.output import report  # noqa: PLC0415
    from kube_log_watcher_core.errors import WatcherError  # noqa: PLC0415

    # What was imported stays until the end. To search it for garbage again and again, and at the end
    # once more, takes a fifth of a short command's time.
    gc.freeze()
    try:
        program.main(prog_name="kube-log-watcher")
    except WatcherError as error:
        sys.exit(report(error))
    finally:
        drop_what_nobody_reads()
