"""Tables: with lines and colours for a terminal, as plain columns for a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from kube_log_watcher_core.cli.output import one_line

if TYPE_CHECKING:
    from rich.table import Table as RichTable

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
    "degraded": "bold red",
    "failing": "bold red",
    "backing off": "bold red",
}
"""How words for a state look in a terminal."""


@attrs.frozen
class Table:
    """Rows of cells; what pod authors wrote may be in them."""

    headers: tuple[str, ...]
    rows: Sequence[Sequence[str]]


def plain(table: Table) -> Iterator[str]:
    """Give the lines of a table in plain text."""
    cells = [table.headers, *([one_line(cell) or "-" for cell in row] for row in table.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(table.headers))]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def rich_table(table: Table) -> RichTable:
    """Give a table for a terminal."""
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
    """Tell a span of time in one unit."""
    if seconds is None:
        return ""
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0.0):.0f} s"


def joined(parts: Iterable[str], separator: str = ", ") -> str:
    """Join what is not empty."""
    return separator.join(part for part in parts if part)
