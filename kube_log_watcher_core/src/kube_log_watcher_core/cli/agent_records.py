"""What is known of every agent there is: where it comes from, how it is, which settings it has."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from kube_log_watcher_core.agents import make_agent
from kube_log_watcher_core.cli.options import shown
from kube_log_watcher_core.configuration import ChosenAgent, Given
from kube_log_watcher_core.errors import AgentConfigError, PluginError
from kube_log_watcher_core.models import NodeContext
from kube_log_watcher_core.plugins import AgentClass, Offer, installed, load_agent, offers_with_files
from kube_log_watcher_core.settings import (
    Field,
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
class SettingRecord:
    """A setting of an agent, as its author declared it."""

    name: str
    variable: str
    kind: str
    required: bool
    default: str
    help: str


@attrs.frozen
class AgentRecord:
    """An agent."""

    name: str
    distribution: str
    version: str
    status: Status
    reasons: tuple[str, ...] = ()
    """Why it can't be used."""
    settings: tuple[SettingRecord, ...] = ()


def agent_records(given: Given) -> list[AgentRecord]:
    """Look at every agent that is installed or named. Settings may be missing altogether."""
    sources = read_sources(command_line=given.command_line, environ=given.environ, config=given.config)
    watcher = load(WatcherSettings, sources)
    enabled = {name.lower() for name in watcher.values.get("agents", ())}
    offers, _ = offers_with_files(watcher.values.get("extra_agent", ()), installed())
    node = _node(watcher.values)
    records = [
        _record(offer, offers, sources=sources, enabled=offer.name in enabled, node=node) for offer in offers
    ]
    return records + _missing(enabled - {offer.name for offer in offers}, offers)


def _node(values: Mapping[str, Any]) -> NodeContext:
    name = values.get("cluster_node_name")
    return NodeContext(cluster_id=values.get("cluster_id"), node=name or "unknown")


def _record(
    offer: Offer, offers: Iterable[Offer], *, sources: Sources, enabled: bool, node: NodeContext
) -> AgentRecord:
    record = AgentRecord(offer.name, offer.origin, offer.version, Status.INSTALLED)
    try:
        agent_class = load_agent(offer.name, offers)
    except PluginError as error:
        return attrs.evolve(record, status=Status.NOT_LOADED, reasons=(str(error),))
    fields = fields_of(agent_class.settings_class, offer.name)
    record = attrs.evolve(record, settings=tuple(_setting(field) for field in fields))
    if not enabled:
        return record
    status, reasons = _status(offer, agent_class, sources, node)
    return attrs.evolve(record, status=status, reasons=reasons)


def _status(
    offer: Offer, agent_class: AgentClass, sources: Sources, node: NodeContext
) -> tuple[Status, tuple[str, ...]]:
    loaded: Loaded[Any] = load(agent_class.settings_class, sources, section=offer.name)
    if loaded.settings is None:
        return Status.WRONG_SETTINGS, tuple(str(problem) for problem in loaded.problems)
    try:
        make_agent(ChosenAgent(offer.name, agent_class, loaded.settings, str(offer)), node).close()
    except AgentConfigError as error:
        return Status.FAILED_CHECK, tuple(str(error).splitlines())
    return Status.ENABLED, ()


def _setting(field: Field) -> SettingRecord:
    kind = field.declaration.kind
    return SettingRecord(
        name=f"{field.section}.{field.name}",
        variable=f"{field.variable} or {field.file_variable}" if field.file_variable else field.variable,
        kind=kind.expected,
        required=field.required,
        default="" if isinstance(field.default, Secret) else shown(field.default),
        help=field.declaration.help,
    )


def _missing(names: Iterable[str], offers: Iterable[Offer]) -> list[AgentRecord]:
    """Give records of agents that are asked for and that nobody offers."""
    there = ", ".join(sorted({offer.name for offer in offers})) or "none"
    reason = f"no distribution offers it; installed: {there}"
    return [AgentRecord(name, "", "", Status.NOT_LOADED, (reason,)) for name in sorted(names)]
