"""The settings as command-line options: made from the schema that the environment and YAML use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import click
from click.shell_completion import CompletionItem
from click.types import StringParamType

from kube_log_watcher_core.configuration import Given
from kube_log_watcher_core.plugins import installed
from kube_log_watcher_core.settings import (
    CONFIG_VARIABLE,
    FLAG,
    PATH,
    PATHS,
    Field,
    Secret,
    WatcherSettings,
    fields_of,
)


@attrs.frozen
class Chosen:
    """What one level of the command line says about settings."""

    values: Mapping[str, str | Sequence[str]] = attrs.field(factory=dict)
    """By ``field`` or ``section.field``, as `Given` has them."""
    config: Path | None = None

    def over(self, outer: Chosen) -> Chosen:
        """Put these above what was said before the command's name."""
        return Chosen({**outer.values, **self.values}, self.config or outer.config)

    def given(self, environ: Mapping[str, str]) -> Given:
        """Return all sources of settings."""
        return Given(command_line=self.values, environ=environ, config=self.config)


def settings_options() -> list[click.Parameter]:
    """Make the options that name settings."""
    text = f"YAML file with the same settings; they may also be in the environment [{CONFIG_VARIABLE}]"
    return [
        *(_option(field) for field in fields_of(WatcherSettings)),
        click.Option(["config", "--config"], metavar="FILE", type=_AnyPath(), help=text),
        click.Option(
            ["set_values", "--set"],
            metavar="AGENT.NAME=VALUE",
            multiple=True,
            callback=_assignments,
            help="A setting of an agent, e.g. --set myagent.dest_path=/var/lib/jobs; may be given several "
            "times",
        ),
    ]


def take_chosen(params: dict[str, Any]) -> Chosen:
    """Take what settings' options hold out of a command's parameters."""
    values: dict[str, str | Sequence[str]] = {}
    for field in fields_of(WatcherSettings):
        value = params.pop(field.name, None)
        if value is not None and value != ():
            values[field.name] = str(value).lower() if isinstance(value, bool) else value
    values |= dict(params.pop("set_values", ()))
    config = params.pop("config", None)
    return Chosen(values, None if config is None else Path(config))


def _option(field: Field) -> click.Option:
    kind = field.declaration.kind
    names = [field.name, *field.declaration.flags]
    if kind is FLAG:
        switch = f"{field.option}/--no-{field.option.removeprefix('--')}"
        return click.Option([*names, switch], default=None, is_flag=True, help=describe(field))
    completed: StringParamType = _Word(kind.words)
    if field.name == "agents":
        completed = AgentNames()
    elif kind in (PATH, PATHS):
        completed = _AnyPath()
    return click.Option(
        [*names, field.option],
        type=completed,
        metavar=f"[{'|'.join(kind.words)}]" if kind.words else kind.metavar,
        multiple=kind.several,
        help=describe(field),
    )


def describe(field: Field) -> str:
    """Describe a setting with its variable and its default."""
    default, limits = shown(field.default), field.declaration.kind.limits
    about = "; ".join(
        part for part in (field.variable, limits, f"default {default}" if default else "") if part
    )
    text = field.declaration.help
    return f"{text[0].upper()}{text[1:]} [{about}]"


def shown(value: object) -> str:
    """Write a default as a variable would hold it; nothing when there is none."""
    if value is None or isinstance(value, Secret):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return ",".join(str(part) for part in value) if isinstance(value, tuple) else str(value or "")


class _AnyPath(StringParamType):
    """Leaves the judgement to the settings, and completes names of files and folders."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]


class _Word(StringParamType):
    """Leaves the judgement to the settings, and completes the words they know."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = tuple(words)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(word) for word in self._words if word.startswith(incomplete.lower())]


class AgentNames(StringParamType):
    """Comma-separated names of agents."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete the last name with those of installed agents."""
        before, comma, last = incomplete.rpartition(",")
        taken = before.lower().split(",")
        names = sorted({offer.name for offer in installed()} - set(taken))
        return [CompletionItem(before + comma + name) for name in names if name.startswith(last.lower())]


def _assignments(
    _ctx: click.Context, _param: click.Parameter, texts: Iterable[str]
) -> tuple[tuple[str, str], ...]:
    assignments = []
    for text in texts:
        key, equals, value = text.partition("=")
        section, dot, name = key.strip().partition(".")
        if not (equals and dot and section and name):
            # The value may be a secret: it is not repeated.
            raise click.BadParameter(f"{key!r}: expected AGENT.NAME=VALUE")
        assignments.append((f"{section.lower()}.{name}", value))
    return tuple(assignments)
