"""The command; ``once --dry-run --sample`` does the same."""

from __future__ import annotations

import sys

import click

from kube_log_watcher_core.cli.commands import SettingsCommand
from kube_log_watcher_core.configuration import Given


@click.command(cls=SettingsCommand)
@click.option(
    "--change",
    is_flag=True,
    help="Also show the differences that a relabelled, a restarted and a removed container make.",
)
def sample(given: Given, *, change: bool) -> None:
    """Show what the agents write for a made-up node: needs no cluster, writes nothing.

    Settings that are required and not set are made up too. Exit code 1: an agent would fail.
    """
    # Imported only here: the help of this command needs no agents.
    from kube_log_watcher_testing.sample.show import show_sample  # noqa: PLC0415

    sys.exit(show_sample(given, change=change))
