"""What ``check`` finds, and how that is shown."""

from __future__ import annotations

import enum
from collections.abc import Sequence

import attrs
import click

from kube_log_watcher_core.cli.output import one_line


class Level(enum.Enum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works, but not as well as it could."""
    FAIL = "fail"
    """It keeps the watcher from working."""


@attrs.frozen
class Finding:
    """One thing that was looked at."""

    level: Level
    subject: str
    text: str
    remedy: str = ""
    """What would put it right. May have several lines, of YAML say."""


def ok(subject: str, text: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(Level.OK, subject, text)


def warn(subject: str, text: str, remedy: str) -> Finding:
    """Return that something could be better."""
    return Finding(Level.WARN, subject, text, remedy)


def fail(subject: str, text: str, remedy: str) -> Finding:
    """Return that something keeps the watcher from working."""
    return Finding(Level.FAIL, subject, text, remedy)


def show(findings: Sequence[Finding], *, table: bool) -> None:
    """Print findings: a table for people at a terminal, lines for everybody else."""
    if table:
        _show_table(findings)
        return
    for finding in findings:
        click.echo(f"{finding.level.value:<5} {finding.subject}: {one_line(finding.text)}")
        for line in finding.remedy.splitlines():
            click.echo(f"      {line}")


def _show_table(findings: Sequence[Finding]) -> None:
    # Imported only here: the daemon never needs it.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    styles = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}
    table = Table("", "checked", "found", "remedy", show_lines=True)
    for finding in findings:
        level = Text(finding.level.value, styles[finding.level])
        table.add_row(level, finding.subject, Text(one_line(finding.text)), Text(finding.remedy))
    Console().print(table)
