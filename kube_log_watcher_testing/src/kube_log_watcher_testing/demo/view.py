"""How the demo is shown: a live table in a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import click

from kube_log_watcher_testing.demo.watching import Row

if TYPE_CHECKING:
    from rich.console import RenderableType


class View(Protocol):
    """Shows what happens."""

    def begin(self) -> None:
        """Prepare the screen."""

    def step(self, title: str) -> None:
        """Tell what happens next."""

    def show(self, rows: Sequence[Row], files: Sequence[str]) -> None:
        """Show what is followed now, and what became of files in this step."""

    def end(self) -> None:
        """Leave the screen."""


FEW_FILES = 9
HEADINGS = 5
"""Lines that are neither a row of the table nor a file."""


def first_of(files: Sequence[str], room: int) -> Sequence[str]:
    """Return as many lines as there is room for."""
    if len(files) <= room:
        return files
    return [*files[: room - 1], f"... and {len(files) - room + 1} more"]


def make_view(*, live: bool) -> View:
    """Return the view for a terminal, or for a pipe."""
    return LiveView() if live else PlainView()


class PlainView:
    """Prints what is new after each step."""

    def __init__(self) -> None:
        self._rows: set[Row] = set()

    def begin(self) -> None:
        """Need nothing."""

    def step(self, title: str) -> None:
        """Print what happens next."""
        click.echo(f"\n== {title}")

    def show(self, rows: Sequence[Row], files: Sequence[str]) -> None:
        """Print the rows that are new and those that are gone, and what became of files."""
        for row in sorted(self._rows - set(rows)):
            if row.container not in {new.container for new in rows if new.node == row.node}:
                click.echo(f"   {row.node:<16} gone      {row.container}")
        for row in sorted(set(rows) - self._rows):
            state = "followed" if row.followed else "skipped"
            click.echo(f"   {row.node:<16} {state:<9} {row.container}  {row.about}")
        for line in first_of(files, FEW_FILES):
            click.echo(f"   {line}")
        self._rows = set(rows)

    def end(self) -> None:
        """Need nothing."""


class LiveView:
    """Keeps a table on the screen."""

    def __init__(self) -> None:
        # Imported only here: plain output, and the daemon, do without.
        from rich.live import Live  # noqa: PLC0415

        self._live = Live(auto_refresh=False)
        self._title = ""

    def begin(self) -> None:
        """Take the screen's lower part."""
        self._live.start()

    def step(self, title: str) -> None:
        """Put what happens above the table."""
        self._title = title

    def show(self, rows: Sequence[Row], files: Sequence[str]) -> None:
        """Draw the table anew."""
        room = self._live.console.size.height - len(rows) - HEADINGS
        self._live.update(_drawn(self._title, rows, first_of(files, max(room, 1))), refresh=True)

    def end(self) -> None:
        """Leave the last table where it is."""
        self._live.stop()


def _drawn(title: str, rows: Sequence[Row], files: Sequence[str]) -> RenderableType:
    from rich.console import Group  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    # What is short keeps its width; in a narrow terminal the last column, which alone may wrap, is cut.
    for heading in ("node", "container", ""):
        table.add_column(heading, no_wrap=True)
    table.add_column(Text("application and version, or why not", no_wrap=True, overflow="ellipsis"))
    for row in sorted(rows):
        style = "green" if row.followed else "yellow"
        state = Text("followed" if row.followed else "skipped", style)
        about = Text(row.about, no_wrap=True, overflow="ellipsis")
        table.add_row(Text(row.node, "dim"), Text(row.container), state, about)
    # One line for each, however narrow the terminal is: else the table would be pushed out of it.
    written = [Text(f"  {line}", _style(line), no_wrap=True, overflow="ellipsis") for line in files]
    return Group(Text(title, "bold"), "", table, "", Text("files", "bold"), *written)


def _style(line: str) -> str:
    return {"+": "green", "-": "red"}.get(line[:1], "cyan")
