"""``config``: the settings that count, each with where it comes from."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import click

from kube_log_watcher_core.cli.commands import SettingsCommand
from kube_log_watcher_core.cli.options import shown
from kube_log_watcher_core.cli.output import Table, one_line, plain
from kube_log_watcher_core.configuration import Given, configure
from kube_log_watcher_core.errors import PluginError, SettingsError
from kube_log_watcher_core.plugins import installed, load_agent, offers_with_files
from kube_log_watcher_core.settings import Sources, WatcherSettings, fields_of, load, read_sources
from kube_log_watcher_core.settings.fields import Field
from kube_log_watcher_core.settings.kinds import SECRET
from kube_log_watcher_core.settings.masks import MASK

DEFAULT, NOT_SET, WRONG = "default", "not set", "wrong"


@attrs.frozen
class SettingRecord:
    """One setting as it counts, as JSON shows it."""

    name: str
    """As YAML has it: ``interval``, ``scalyr.dest_path``."""
    variable: str
    value: str
    """As the variable would hold it; never a secret's."""
    source: str
    """``default``, ``environment``, ``command line``, or the path of a file."""


@click.command(cls=SettingsCommand, short_help="Show the settings that count, with the source of each.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to show them.",
)
def config(given: Given, *, output: str) -> None:
    """Show the settings that count, of the watcher and the enabled agents, with the source of each.

    Secrets are masked. Nothing is made or asked. Exit code 78: they can't be used, and why is told too.
    """
    records = list(_records(given))
    if output == "json":
        click.echo(json.dumps([attrs.asdict(record) for record in records], indent=2))
    else:
        rows = [(it.name, one_line(it.value), one_line(it.source)) for it in records]
        for line in plain(Table(("SETTING", "VALUE", "SOURCE"), rows)):
            click.echo(line)
    try:
        configure(given)
    except SettingsError as error:
        for problem in error.problems:
            click.echo(one_line(f"kube-log-watcher: {problem}"), err=True)
        sys.exit(os.EX_CONFIG)


def _records(given: Given) -> Iterator[SettingRecord]:
    sources = read_sources(command_line=given.command_line, environ=given.environ, config=given.config)
    watcher = load(WatcherSettings, sources)
    for field in fields_of(WatcherSettings):
        yield _record(field, sources, watcher.values)
    offers, _ = offers_with_files(watcher.values.get("extra_agent", ()), installed())
    for name in dict.fromkeys(name.lower() for name in watcher.values.get("agents", ())):
        try:
            settings_class = load_agent(name, offers).settings_class
        except PluginError:  # `configure` tells that
            continue
        values = load(settings_class, sources, section=name).values
        for field in fields_of(settings_class, name):
            yield _record(field, sources, values)


def _record(field: Field, sources: Sources, values: Mapping[str, Any]) -> SettingRecord:
    found = sources.find_file(field) or sources.find(field)
    if found is None:
        value, source = field.default, NOT_SET if field.required else DEFAULT
    else:
        value = values.get(field.name)
        source = found.source if field.name in values else f"{found.source}: {WRONG}"
    is_secret = field.declaration.secret or field.declaration.kind is SECRET
    return SettingRecord(
        name=f"{field.section}.{field.name}" if field.section else field.name,
        variable=field.variable,
        value=MASK if is_secret and found is not None else _text(value),
        source=source,
    )


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return shown(value)
