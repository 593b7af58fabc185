"""Text for terminals and pipes. What pod authors wrote is made harmless first."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import click

from kube_log_watcher_core.configuration import Configuration
from kube_log_watcher_core.errors import (
    AgentConfigError,
    ApiError,
    DiscoveryError,
    PluginError,
    SettingsError,
    WatcherError,
)
from kube_log_watcher_core.observe.logs import set_up_logging, visible

if TYPE_CHECKING:
    from rich.table import Table as RichTable

logger = logging.getLogger(__name__)

CONFIGURATION = os.EX_CONFIG
"""78: the settings, or what they name, must change."""
TRY_AGAIN = os.EX_TEMPFAIL
"""75: the node or the API could not be read this time."""

STYLES = {
    "ok": "green",
    "followed": "green",
    "healthy": "bold green",
    "watching": "green",
    "busy": "cyan",
    "draining": "cyan",
    "starting": "cyan",
    "skipped": "yellow",
    "no-log": "yellow",
    "fallback": "yellow",
    "waiting": "yellow",
    "held": "bold red",
    "gone": "cyan",
    "degraded": "bold red",
    "failing": "bold red",
    "backing off": "bold red",
}
"""How words for a state look in a terminal."""


def one_line(text: str) -> str:
    """Make one line of printable characters: names of pods may hold anything."""
    return visible(" ".join(text.split()))


def start_logging(configuration: Configuration) -> None:
    """Log to standard error as the settings say, the warnings about them first."""
    set_up_logging(configuration.log_level, json=configuration.watcher.log_format == "json")
    for warning in configuration.warnings:
        logger.warning("%s", warning)


def report(error: WatcherError) -> int:
    """Print an error to standard error, each problem on a line of its own; return the exit code.

    The code tells who can do something about it.
    """
    problems = error.problems if isinstance(error, SettingsError) else str(error).splitlines()
    for problem in problems:
        click.echo(f"kube-log-watcher: {one_line(str(problem))}", err=True)
    if isinstance(error, SettingsError | PluginError | AgentConfigError):
        return CONFIGURATION
    return TRY_AGAIN if isinstance(error, DiscoveryError | ApiError) else 1


def print_document(document: Mapping[str, Any], output: str) -> None:
    """Print for machines: JSON or YAML."""
    if output == "json":
        click.echo(json.dumps(document, indent=2))
    else:
        import yaml  # noqa: PLC0415 - only here it is needed

        click.echo(yaml.safe_dump(dict(document), sort_keys=False), nl=False)


@attrs.frozen
class Table:
    """Rows of cells; what pod authors wrote may be in them."""

    headers: tuple[str, ...]
    rows: Sequence[Sequence[str]]


def plain(table: Table) -> Iterator[str]:
    """Yield the lines of a table in plain text."""
    cells = [table.headers, *([one_line(cell) or "-" for cell in row] for row in table.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(table.headers))]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def rich_table(table: Table) -> RichTable:
    """Return a table for a terminal."""
    # Imported only here: the daemon never needs it.
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Table as RichTable  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    made = RichTable(box=SIMPLE_HEAD, pad_edge=False)
    for header in table.headers:
        made.add_column(header, overflow="fold")
    for row in table.rows:
        made.add_row(*(Text(one_line(cell) or "-", STYLES.get(cell, "")) for cell in row))
    return made


def ago(seconds: float | None) -> str:
    """Return a span of time in one unit."""
    if seconds is None:
        return ""
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0.0):.0f} s"


def joined(parts: Iterable[str], separator: str = ", ") -> str:
    """Join what is not empty."""
    return separator.join(part for part in parts if part)
