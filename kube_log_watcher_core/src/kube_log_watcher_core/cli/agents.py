"""``agents``: which agents there are, how they are, and what they can be told."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import click

from kube_log_watcher_core.agents import make_agent
from kube_log_watcher_core.cli.commands import SettingsCommand
from kube_log_watcher_core.cli.options import shown
from kube_log_watcher_core.cli.output import one_line
from kube_log_watcher_core.configuration import ChosenAgent, Given
from kube_log_watcher_core.errors import AgentConfigError, PluginError
from kube_log_watcher_core.models import NodeContext
from kube_log_watcher_core.plugins import Offer, installed, load_agent, offers_with_files
from kube_log_watcher_core.settings import (
    Loaded,
    Secret,
    Sources,
    WatcherSettings,
    fields_of,
    load,
    read_sources,
)


class Status(enum.Enum):
    """How an agent is. The values are stable: scripts read them."""

    ENABLED = "enabled"
    INSTALLED = "installed"
    NOT_LOADED = "could not be loaded"
    WRONG_SETTINGS = "wrong settings"
    FAILED_CHECK = "failed its own check"


@attrs.frozen
class AgentRecord:
    """An agent that is installed or named, as JSON shows it."""

    name: str
    distribution: str
    version: str
    status: Status
    reasons: tuple[str, ...] = ()
    """Why it can't be used."""
    settings: tuple[dict[str, Any], ...] = ()
    """As its author declared them: name, variable, kind, required, default, help."""


@click.command(cls=SettingsCommand, short_help="List the installed agents with their status and settings.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", help="How to show them.")
def agents(given: Given, *, output: str) -> None:
    """List the installed agents with their status and settings; needs no settings itself."""
    records = agent_records(given)
    if output == "json":
        plain = [attrs.asdict(record) | {"status": record.status.value} for record in records]
        click.echo(json.dumps(plain, indent=2))
        return
    for number, record in enumerate(records):
        if number:
            click.echo()
        for line in _lines(record):
            click.echo(line)
    if not records:
        click.echo("no agents are installed: pip install 'kube-log-watcher[all]'")


def agent_records(given: Given) -> list[AgentRecord]:
    """Look at every agent that is installed or named. Settings may be missing altogether."""
    sources = read_sources(command_line=given.command_line, environ=given.environ, config=given.config)
    watcher = load(WatcherSettings, sources).values
    enabled = {name.lower() for name in watcher.get("agents", ())}
    offers, _ = offers_with_files(watcher.get("extra_agent", ()), installed())
    node = NodeContext(
        cluster_id=watcher.get("cluster_id"), node=watcher.get("cluster_node_name") or "unknown"
    )
    records = [
        _record(offer, offers, sources=sources, enabled=offer.name in enabled, node=node) for offer in offers
    ]
    there = sorted({offer.name for offer in offers})
    reason = f"no distribution offers it; installed: {', '.join(there) or 'none'}"
    missing = sorted(enabled - set(there))
    return records + [AgentRecord(name, "", "", Status.NOT_LOADED, (reason,)) for name in missing]


def _record(
    offer: Offer, offers: Iterable[Offer], *, sources: Sources, enabled: bool, node: NodeContext
) -> AgentRecord:
    record = AgentRecord(offer.name, offer.origin, offer.version, Status.INSTALLED)
    try:
        agent_class = load_agent(offer.name, offers)
    except PluginError as error:
        return attrs.evolve(record, status=Status.NOT_LOADED, reasons=(str(error),))
    fields = fields_of(agent_class.settings_class, offer.name)
    declared = [
        {
            "name": f"{field.section}.{field.name}",
            "variable": " or ".join(filter(None, (field.variable, field.file_variable))),
            "kind": field.declaration.kind.expected,
            "required": field.required,
            "default": "" if isinstance(field.default, Secret) else shown(field.default),
            "help": field.declaration.help,
        }
        for field in fields
    ]
    record = attrs.evolve(record, settings=tuple(declared))
    if not enabled:
        return record
    loaded: Loaded[Any] = load(agent_class.settings_class, sources, section=offer.name)
    if loaded.settings is None:
        problems = tuple(str(problem) for problem in loaded.problems)
        return attrs.evolve(record, status=Status.WRONG_SETTINGS, reasons=problems)
    try:
        make_agent(ChosenAgent(offer.name, agent_class, loaded.settings, str(offer)), node).close()
    except AgentConfigError as error:
        reasons = tuple(str(error).splitlines())
        return attrs.evolve(record, status=Status.FAILED_CHECK, reasons=reasons)
    return attrs.evolve(record, status=Status.ENABLED)


def _lines(record: AgentRecord) -> Iterator[str]:
    origin = f" ({f'{record.distribution} {record.version}'.strip()})" if record.distribution else ""
    reasons = [one_line(reason) for reason in record.reasons]
    first = f": {reasons[0]}" if len(reasons) == 1 else ":" if reasons else ""
    yield f"{record.name}{origin}: {record.status.value}{first}"
    if len(reasons) > 1:
        yield from (f"  {reason}" for reason in reasons)
    for setting in record.settings:
        default = f"default {setting['default']}" if setting["default"] else "optional"
        yield f"  {setting['variable']}"
        yield f"      {setting['help']} ({setting['kind']}; {'required' if setting['required'] else default})"
