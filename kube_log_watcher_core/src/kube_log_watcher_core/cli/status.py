"""``status``: the node at a glance."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import click

from kube_log_watcher_core.cli.asking import UNAVAILABLE, ask_watcher, print_document, state_dir_of
from kube_log_watcher_core.cli.commands import SettingsCommand
from kube_log_watcher_core.cli.glance import Glance, glance, lines_of, renderable_of
from kube_log_watcher_core.cli.output import one_line
from kube_log_watcher_core.cli.stopping import pause, unwind_on_sigterm
from kube_log_watcher_core.configuration import Given

DEGRADED = 1

Document = Mapping[str, Any]


@click.command(cls=SettingsCommand, short_help="Show the node at a glance.")
@click.option("-w", "--watch", is_flag=True, help="Show it again and again, until Ctrl-C.")
@click.option(
    "--every",
    "every_seconds",
    type=click.FloatRange(min=0.2),
    default=2.0,
    metavar="SECONDS",
    show_default=True,
    help="With --watch: how often.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="How to show it.",
)
def status(given: Given, *, watch: bool, every_seconds: float, output: str) -> None:
    """Show what the running watcher of this node does, and how its agents and the API are.

    Exit code 0: all is well. 1: something is not, and it says what. 69: no watcher answers.
    """
    state_dir = state_dir_of(given)
    if not watch:
        sys.exit(_show_once(state_dir, output))
    unwind_on_sigterm()
    last = UNAVAILABLE
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(_show_again(state_dir, output)) as codes:
        for last in codes:  # noqa: B007 - the last one is the exit code
            pause(every_seconds)
    sys.exit(last)


def _show_once(state_dir: Path | None, output: str) -> int:
    found, trouble = ask_watcher(state_dir, "status")
    if found is None:
        click.echo(f"kube-log-watcher: {one_line(trouble)}", err=True)
        return UNAVAILABLE
    if output != "table":
        print_document(found, output)
    elif sys.stdout.isatty():
        _print_in_colour(glance(found))
    else:
        for line in lines_of(glance(found)):
            click.echo(line)
    return _code(found)


def _code(found: Document | None) -> int:
    if found is None:
        return UNAVAILABLE
    return DEGRADED if found["problems"] else 0


def _print_in_colour(seen: Glance) -> None:
    from rich.console import Console  # noqa: PLC0415 - only people need it

    Console(highlight=False).print(renderable_of(seen))


def _show_again(state_dir: Path | None, output: str) -> Generator[int, None, None]:
    """Show it, and give the exit code that it stands for, for ever."""
    if output == "table" and sys.stdout.isatty():
        yield from _live(state_dir)
    while True:
        found, trouble = ask_watcher(state_dir, "status")
        if output == "json":
            click.echo(json.dumps(found if found is not None else {"kind": "error", "error": trouble}))
        elif found is None:
            click.echo(f"kube-log-watcher: {one_line(trouble)}", err=True)
        elif output == "yaml":
            click.echo("---")
            print_document(found, output)
        else:
            click.echo("\n".join([*lines_of(glance(found)), ""]))
        yield _code(found)


def _live(state_dir: Path | None) -> Generator[int, None, None]:
    from rich.console import Console  # noqa: PLC0415 - only people need it
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    with Live(console=Console(highlight=False), auto_refresh=False, screen=True) as live:
        while True:
            found, trouble = ask_watcher(state_dir, "status")
            shown = Text(one_line(trouble), "bold red") if found is None else renderable_of(glance(found))
            live.update(shown, refresh=True)
            yield _code(found)
