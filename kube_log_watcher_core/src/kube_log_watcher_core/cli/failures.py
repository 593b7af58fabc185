"""Errors as an operator sees them: one line for each problem, and an exit code."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click

from kube_log_watcher_core.cli.output import one_line
from kube_log_watcher_core.errors import (
    AgentConfigError,
    ApiError,
    DiscoveryError,
    PluginError,
    SettingsError,
    WatcherError,
)

CONFIGURATION = os.EX_CONFIG
"""78: the settings, or what they name, must change."""
TRY_AGAIN = os.EX_TEMPFAIL
"""75: the node or the API could not be read this time."""


def report(error: WatcherError) -> int:
    """Print an error to standard error, each problem on a line of its own; give the exit code."""
    for line in lines_of(error):
        click.echo(f"kube-log-watcher: {line}", err=True)
    return exit_code(error)


def lines_of(error: WatcherError) -> Iterable[str]:
    """Give one printable line for each problem."""
    if isinstance(error, SettingsError):
        return [one_line(str(problem)) for problem in error.problems]
    return [one_line(line) for line in str(error).splitlines()]


def exit_code(error: WatcherError) -> int:
    """Tell by the kind of error who can do something about it."""
    if isinstance(error, SettingsError | PluginError | AgentConfigError):
        return CONFIGURATION
    return TRY_AGAIN if isinstance(error, DiscoveryError | ApiError) else 1
