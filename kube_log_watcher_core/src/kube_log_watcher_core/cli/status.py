"""``status``: the node at a glance."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kube_log_watcher_core.cli.asking import UNAVAILABLE, ask_watcher, state_dir_of
from kube_log_watcher_core.cli.commands import SettingsCommand
from kube_log_watcher_core.cli.output import (
    STYLES,
    Table,
    ago,
    joined,
    one_line,
    plain,
    print_document,
    rich_table,
)
from kube_log_watcher_core.cli.stopping import pause, unwind_on_sigterm
from kube_log_watcher_core.configuration import Given

if TYPE_CHECKING:
    from rich.console import Group

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
        found, trouble = ask_watcher(state_dir, "status")
        if found is None:
            click.echo(f"kube-log-watcher: {one_line(trouble)}", err=True)
        elif output != "table":
            print_document(found, output)
        elif sys.stdout.isatty():
            from rich.console import Console  # noqa: PLC0415 - only people need it

            Console(highlight=False).print(renderable_of(found))
        else:
            click.echo("\n".join(lines_of(found)))
        sys.exit(_exit_code(found))
    unwind_on_sigterm()
    last = UNAVAILABLE
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(_show_again(state_dir, output)) as codes:
        for last in codes:  # noqa: B007 - the last one is the exit code
            pause(every_seconds)
    sys.exit(last)


def _exit_code(found: Document | None) -> int:
    if found is None:
        return UNAVAILABLE
    return DEGRADED if found["problems"] else 0


def _show_again(state_dir: Path | None, output: str) -> Generator[int, None, None]:
    """Show it again and again; yield the exit code that it stands for each time."""
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
            click.echo("\n".join([*lines_of(found), ""]))
        yield _exit_code(found)


def _live(state_dir: Path | None) -> Generator[int, None, None]:
    from rich.console import Console  # noqa: PLC0415 - only people need it
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    with Live(console=Console(highlight=False), auto_refresh=False, screen=True) as live:
        while True:
            found, trouble = ask_watcher(state_dir, "status")
            shown = Text(one_line(trouble), "bold red") if found is None else renderable_of(found)
            live.update(shown, refresh=True)
            yield _exit_code(found)


def lines_of(found: Document) -> Iterator[str]:
    """Yield a status document as plain lines."""
    state, headline = _headline(found)
    yield one_line(f"{state}: {headline}")
    for problem in found["problems"]:
        yield one_line(f"problem: {problem}")
    for table in _tables(found):
        yield ""
        yield from plain(table)


def renderable_of(found: Document) -> Group:
    """Return a status document for a terminal."""
    # Imported only here: the daemon never needs it.
    from rich.console import Group  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    state, headline = _headline(found)
    problems = [Text(f"! {one_line(problem)}", "bold red") for problem in found["problems"]]
    tables = (rich_table(table) for table in _tables(found))
    return Group(Text.assemble((state, STYLES[state]), f"  {one_line(headline)}"), *problems, *tables)


def _headline(found: Document) -> tuple[str, str]:
    up, pid = ago(found["uptime_seconds"]), found["pid"]
    about = f"kube-log-watcher {found['version']}, up for {up}, process {pid}"
    return "degraded" if found["problems"] else "healthy", f"node {found['node']}: {about}"


def _tables(found: Document) -> Iterator[Table]:
    logs = [("followed", str(found["followed"]))]
    if found["held"]:
        logs.append(("held: not shipped, for what their pods ask for", str(found["held"])))
    if found["waiting"]:
        logs.append(("waiting", str(found["waiting"])))
    if found["draining"]:
        logs.append(("gone, still being read", str(found["draining"])))
    logs += [(f"skipped: {reason}", str(count)) for reason, count in found["skipped"].items()]
    yield Table(("CONTAINERS", "COUNT"), logs)
    agents = [
        (
            agent["name"],
            agent["state"],
            f"{ago(agent['synced_seconds_ago'])} ago" if agent["synced_seconds_ago"] is not None else "never",
            f"{agent['draining']} ({agent['bytes_left']} bytes left)" if agent["draining"] else "",
            joined(
                [
                    agent["error"] or "",
                    agent["obstacle"] or "",
                    "" if agent["busy_seconds"] is None else f"at work for {ago(agent['busy_seconds'])}",
                ]
            ),
        )
        for agent in found["agents"]
    ]
    yield Table(("AGENT", "STATE", "LAST SYNC", "DRAINS", "DETAIL"), agents)
    if found.get("spool") is not None:
        yield _spool(found["spool"])
    yield _sources(found)


def _spool(spool: Document) -> Table:
    age = spool["oldest_unread_seconds"]
    oldest = "" if age is None else f"the oldest unread for {ago(age)}"
    rows = [
        ("logs", str(spool["logs"]), joined(spool["folders"])),
        ("segments", str(spool["segments"]), oldest),
        ("bytes held by nobody else", str(spool["held_bytes"]), ""),
    ]
    if spool["waiting"]:
        rows.append(("not shown yet", str(spool["waiting"]), "`kube-log-watcher explain` tells for whom"))
    if spool["given_up_bytes"]:
        rows.append(("bytes given up unread", str(spool["given_up_bytes"]), "since the watcher began"))
    rows += [("followed by their path", str(count), why) for why, count in spool["by_path"].items()]
    return Table(("SPOOL", "COUNT", "DETAIL"), rows)


def _sources(found: Document) -> Table:
    watch = found["watch"] or {}
    age = watch.get("age_seconds")
    heard = "nothing heard yet" if age is None else f"heard {ago(age)} ago"
    rows = [
        (
            "Kubernetes API",
            watch.get("state", ""),
            joined([watch.get("url", ""), f"{watch.get('pods', 0)} pods", heard, watch.get("error") or ""]),
        ),
        (
            "folders",
            "polling" if found["polling_reason"] else "inotify",
            joined([found["containers_path"], found["polling_reason"] or ""]),
        ),
        ("settings", "files" if found["settings_files"] else "no files", joined(found["settings_files"])),
    ]
    return Table(("SOURCE", "STATE", "DETAIL"), rows)
