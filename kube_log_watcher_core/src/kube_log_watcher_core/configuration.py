"""All settings of the watcher and of its agents, read together so that all problems show together."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import attrs

from kube_log_watcher_core.annotations import SETTINGS
from kube_log_watcher_core.discovery import NodePaths, default_roots, find_containers_path
from kube_log_watcher_core.errors import PluginError, Problem, SettingsError
from kube_log_watcher_core.files.signature import Signature
from kube_log_watcher_core.kube import ApiAccess, api_access
from kube_log_watcher_core.models import NodeContext
from kube_log_watcher_core.plugins import AgentClass, Offer, installed, load_agent, offers_with_files
from kube_log_watcher_core.reconcile import DrainRules, Timeouts
from kube_log_watcher_core.resolve import Rules, as_seen_by_shipper
from kube_log_watcher_core.settings import (
    Field,
    Loaded,
    Sources,
    WatcherSettings,
    fields_of,
    load,
    read_sources,
    unknown_keys,
    unknown_options,
    unknown_variables,
)
from kube_log_watcher_core.settings.load import NOT_SET
from kube_log_watcher_core.spool import SpoolRules

logger = logging.getLogger(__name__)


@attrs.frozen
class ChosenAgent:
    """An agent that the settings name, with settings of its own."""

    name: str
    agent_class: AgentClass
    settings: Any
    origin: str = ""
    """The distribution with its version, or the file."""

    def with_variables(self, message: str) -> str:
        """Return a message about folders with the variables that name them, or a file in them, added."""
        fields = fields_of(self.agent_class.settings_class, self.name)
        values = [(field.variable, getattr(self.settings, field.name)) for field in fields]
        named = [
            f"{variable}={value}"
            for variable, value in values
            if isinstance(value, Path)
            and (str(value) in message or message.startswith(f"{value.parent} "))
            and variable not in message
        ]
        return f"{message} ({', '.join(named)})" if named else message


@attrs.frozen
class Given:
    """Where settings may come from; asked again at every reload."""

    command_line: Mapping[str, str | Sequence[str]] = attrs.field(factory=dict)
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    config: Path | None = None


@attrs.frozen
class Configuration:
    """Everything that was decided by settings."""

    watcher: WatcherSettings
    agents: tuple[ChosenAgent, ...]
    access: ApiAccess
    """Where the Kubernetes API is."""
    files: Mapping[Path, Signature | None]
    """Files that it was read from, with the signatures they had then: a change of one asks for a reload."""
    warnings: tuple[str, ...] = ()

    @property
    def node(self) -> NodeContext:
        """What agents may know about the node."""
        settings = self.watcher
        return NodeContext(
            cluster_id=settings.cluster_id,
            node=settings.cluster_node_name or "unknown",
            cluster_alias=settings.cluster_alias,
            cluster_environment=settings.cluster_environment,
            has_spool=bool(settings.spool_dir),
            spool_dirs=tuple(
                as_seen_by_shipper(folder, settings.log_path_map) for folder in settings.spool_dir
            ),
        )

    @property
    def paths(self) -> NodePaths:
        """Where the node's containers are, as mounted."""
        settings = self.watcher
        containers = settings.containers_path or find_containers_path()
        return NodePaths(
            containers=containers,
            layout=settings.containers_layout,
            roots=settings.log_roots or default_roots(containers),
        )

    @property
    def log_level(self) -> str:
        """The least level to log: debug wins over the level."""
        return "debug" if self.watcher.debug else self.watcher.loglevel

    @property
    def timeouts(self) -> Timeouts:
        """How long to wait for what."""
        settings = self.watcher
        return Timeouts(
            gate_seconds=settings.gate_seconds,
            drain=DrainRules(seconds=settings.drain_seconds, max_seconds=settings.drain_max_seconds),
        )

    @property
    def spool_rules(self) -> SpoolRules:
        """How long and how much the spool keeps."""
        settings = self.watcher
        return SpoolRules(
            seconds=settings.spool_seconds,
            max_bytes=settings.spool_max_bytes,
            min_free_percent=settings.spool_min_free_percent,
        )

    @property
    def rules(self) -> Rules:
        """What resolution goes by."""
        return Rules(
            node=self.node,
            strict_labels=self.watcher.strict_labels,
            labels_as_attributes=self.watcher.labels_as_attributes,
            log_path_map=self.watcher.log_path_map,
            namespaces=self.watcher.namespaces,
            exclude_namespaces=self.watcher.exclude_namespaces,
            annotations=SETTINGS.union(*(agent.agent_class.annotations for agent in self.agents)),
        )


def configure(given: Given) -> Configuration:
    """Read everything.

    Raises `SettingsError` with all problems of all sources, those with agents that can't be loaded among
    them.
    """
    sources = read_sources(command_line=given.command_line, environ=given.environ, config=given.config)
    watcher = load(WatcherSettings, sources)
    problems = [*([sources.problem] if sources.problem else []), *watcher.problems]
    access = _access(sources, watcher, problems)
    offers, failures = offers_with_files(watcher.values.get("extra_agent", ()), installed())
    for path, error in failures:
        problems.append(_unusable(sources, _field("extra_agent"), str(path), error))
    names: Sequence[str] | None = watcher.values.get("agents")
    if names == ():
        problems.append(_blamed(sources, _field("agents"), value="", expected="at least one agent's name"))
    chosen, files = _choose(names or (), offers, sources, problems)
    enabled = {agent.name: fields_of(agent.agent_class.settings_class, agent.name) for agent in chosen}
    problems += _unknown_names(sources, enabled, offers)
    if watcher.settings is None or access is None or problems:
        raise SettingsError(_with_hints(problems, _unknown_variables(given.environ, enabled, offers)))
    return Configuration(
        watcher=watcher.settings,
        access=access,
        agents=tuple(chosen),
        files={**sources.files, **watcher.files, **files},
        warnings=_warnings(given.environ, enabled, offers),
    )


def _field(name: str) -> Field:
    return next(field for field in fields_of(WatcherSettings) if field.name == name)


def _blamed(sources: Sources, field: Field, *, value: str, expected: str) -> Problem:
    """Say what is wrong with a value that could be read, and where it came from."""
    found = sources.find(field)
    name, source = (found.name, found.source) if found else (field.variable, "default")
    return Problem(name=name, source=source, value=value, expected=expected)


def _access(sources: Sources, watcher: Loaded[WatcherSettings], problems: list[Problem]) -> ApiAccess | None:
    try:
        return api_access(watcher.values.get("kube_url"), sources.environ)
    except SettingsError as error:
        found = list(error.problems)
        if watcher.values.get("kube_url") is not None:
            field = _field("kube_url")
            found = [_blamed(sources, field, value=it.value, expected=it.expected) for it in found]
        problems += found
        return None


def _unusable(sources: Sources, field: Field, value: str, error: PluginError) -> Problem:
    return _blamed(sources, field, value=value, expected=f"an agent that can be loaded: {error}")


def _choose(
    names: Iterable[str], offers: Iterable[Offer], sources: Sources, problems: list[Problem]
) -> tuple[list[ChosenAgent], dict[Path, Signature | None]]:
    chosen: list[ChosenAgent] = []
    files: dict[Path, Signature | None] = {}
    for name in dict.fromkeys(name.lower() for name in names):
        try:
            agent_class = load_agent(name, offers)
        except PluginError as error:
            problems.append(_unusable(sources, _field("agents"), name, error))
            continue
        loaded: Loaded[Any] = load(agent_class.settings_class, sources, section=name)
        problems += loaded.problems
        files |= loaded.files
        origin = next(str(offer) for offer in offers if offer.name == name)
        chosen.append(ChosenAgent(name, agent_class, loaded.settings, origin))
    return chosen, files


def _fields_of_others(
    enabled: Mapping[str, Sequence[Field]], offers: Iterable[Offer]
) -> dict[str, Sequence[Field]]:
    """Give the fields of all agents there are; one that can't be loaded and isn't asked for is no problem."""
    sections = dict(enabled)
    for offer in offers:
        if offer.name not in sections:
            try:
                sections[offer.name] = fields_of(load_agent(offer.name, offers).settings_class, offer.name)
            except PluginError as error:
                logger.debug("agent %s is installed, not enabled, and can't be loaded: %s", offer.name, error)
    return sections


def _unknown_names(
    sources: Sources, enabled: Mapping[str, Sequence[Field]], offers: Iterable[Offer]
) -> list[Problem]:
    def unknown(sections: Mapping[str, Sequence[Field]]) -> list[Problem]:
        own = fields_of(WatcherSettings)
        return [*unknown_keys(sources, sections, own), *unknown_options(sources, sections)]

    # Others' code is imported only when there is something that may be theirs.
    return unknown(_fields_of_others(enabled, offers)) if unknown(enabled) else []


def _warnings(
    environ: Mapping[str, str], enabled: Mapping[str, Sequence[Field]], offers: Iterable[Offer]
) -> tuple[str, ...]:
    names = _unknown_variables(environ, enabled, offers)
    return (f"ignored, no such setting: {', '.join(names)}",) if names else ()


def _unknown_variables(
    environ: Mapping[str, str], enabled: Mapping[str, Sequence[Field]], offers: Iterable[Offer]
) -> list[str]:
    def unknown(sections: Mapping[str, Sequence[Field]]) -> list[str]:
        return unknown_variables(environ, chain(fields_of(WatcherSettings), *sections.values()))

    # As with names in files: others' code is imported only when there is something that may be theirs.
    return unknown(_fields_of_others(enabled, offers)) if unknown(enabled) else []


def _with_hints(problems: Iterable[Problem], unknown: Sequence[str]) -> list[Problem]:
    """Name, beside a setting that is missing, the unknown variable that may be meant for it."""
    return [
        attrs.evolve(problem, expected=f"{problem.expected}; {near[0]} is set: did you mean {variable}?")
        if problem.source == NOT_SET
        and (variable := problem.name.partition(" or ")[0])
        and (near := difflib.get_close_matches(variable, unknown, n=1, cutoff=0.85))
        else problem
        for problem in problems
    ]
