"""Commands that take all settings as options, and help that shows them in groups."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from typing import Any

import click

from kube_log_watcher_core.cli.commands_of_others import command_of_others, notes, offered
from kube_log_watcher_core.cli.options import Chosen, settings_options, take_chosen
from kube_log_watcher_core.cli.output import one_line
from kube_log_watcher_core.cli.stopping import TERMINATED, end_when_nobody_reads, exit_on_sigterm

OWN = ("run", "init", "explain", "status", "once", "check", "agents", "config", "completion")
"""The program's own commands, the most needed first."""

_GROUPS = {
    "The node": ("containers_path", "containers_layout", "log_roots", "log_path_map", "cluster_node_name"),
    "The Kubernetes API": ("kube_url", "kubernetes_update_certificates"),
    "What is followed and how it is named": (
        "strict_labels",
        "namespaces",
        "exclude_namespaces",
        "labels_as_attributes",
        "cluster_id",
        "cluster_alias",
        "cluster_environment",
    ),
    "Agents": ("agents", "extra_agent", "set_values"),
}
_REST = "The watcher itself"


class SettingsCommand(click.Command):
    """Takes all settings; its function gets them as ``given``."""

    ends_quietly = False
    """Whether SIGTERM is how it is meant to end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += settings_options()

    def invoke(self, ctx: click.Context) -> Any:
        """Gather the settings of all levels, and call the function."""
        if not self.ends_quietly:
            exit_on_sigterm(TERMINATED)
        outer = ctx.parent.obj if ctx.parent else None
        chosen = take_chosen(ctx.params).over(outer if isinstance(outer, Chosen) else Chosen())
        ctx.params["given"] = chosen.given(os.environ)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then the settings by subject."""
        titles = {name: title for title, names in _GROUPS.items() for name in names}
        settings = {param.name: titles.get(param.name or "", _REST) for param in settings_options()}
        for title in ("Options", *_GROUPS, _REST):
            params = [each for each in self.get_params(ctx) if settings.get(each.name, "Options") == title]
            _write(ctx, formatter, title=title, params=params)


class Daemonic(SettingsCommand):
    """Runs until it is asked to stop."""

    ends_quietly = True


def _write(
    ctx: click.Context, formatter: click.HelpFormatter, *, title: str, params: Sequence[click.Parameter]
) -> None:
    records = [record for param in params if (record := param.get_help_record(ctx)) is not None]
    if records:
        with formatter.section(title):
            formatter.write_dl(records)


class Program(click.Group):
    """The program itself: takes the same options, and without a command's name it runs.

    Each command of its own is in the module of this package that has its name, which is imported when the
    command is asked for: what speaks HTTP, say, takes longer to import than ``agents`` takes to answer.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += settings_options()

    def invoke(self, ctx: click.Context) -> Any:
        """Keep the settings for the command, and see to its end when nobody reads what it says."""
        ctx.obj = take_chosen(ctx.params)
        with end_when_nobody_reads():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands, the most needed first; then others'."""
        others = (offer.name for offer in offered())
        return list(dict.fromkeys([*OWN, *others]))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of the program, else one of another distribution."""
        if cmd_name not in OWN:
            return command_of_others(cmd_name)
        command: click.Command = getattr(importlib.import_module(f"{__package__}.{cmd_name}"), cmd_name)
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands; the many settings are in the help of each of them."""
        settings = {param.name for param in settings_options()}
        own = [param for param in self.get_params(ctx) if param.name not in settings]
        self.format_commands(ctx, formatter)
        with formatter.indentation():
            for note in notes(OWN):
                formatter.write_text(one_line(note))
        _write(ctx, formatter, title="Options", params=own)
