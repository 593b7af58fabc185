"""Settings for a sample: those that are given, and made-up ones where something is required."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from kube_log_watcher_core.configuration import Given
from kube_log_watcher_core.errors import PluginError
from kube_log_watcher_core.plugins import Offer, installed, load_agent, offers_with_files
from kube_log_watcher_core.settings import (
    SECRET,
    TEXT,
    Field,
    Sources,
    WatcherSettings,
    fields_of,
    load,
    read_sources,
)


def made_up(given: Given) -> dict[str, str]:
    """Make up what agents require and nobody gives, by ``section.field``.

    What can't be made up, and an agent that can't be had, are left for the settings to report.
    """
    sources = read_sources(command_line=given.command_line, environ=given.environ, config=given.config)
    watcher = load(WatcherSettings, sources).values
    offers, _ = offers_with_files(watcher.get("extra_agent", ()), installed())
    missing = [
        field
        for name in watcher.get("agents") or ()
        for field in _fields(name.lower(), offers)
        if field.required and not _is_given(field, sources)
    ]
    return {
        f"{field.section}.{field.name}": value for field in missing for value in _first(_values(field), field)
    }


def with_made_up(given: Given) -> Given:
    """Add what is required."""
    return attrs.evolve(given, command_line={**made_up(given), **given.command_line})


def _fields(name: str, offers: Iterable[Offer]) -> tuple[Field, ...]:
    try:
        return fields_of(load_agent(name, offers).settings_class, name)
    except PluginError:
        return ()


def _is_given(field: Field, sources: Sources) -> bool:
    return sources.find(field) is not None or sources.find_file(field) is not None


def _values(field: Field) -> Iterator[str]:
    """Yield values that a setting may take, the likeliest first."""
    kind = field.declaration.kind
    yield from kind.words[:1]
    if kind is SECRET:
        yield "a-made-up-key"
    if kind is TEXT:
        yield f"sample-{field.name}"
    yield f"/sample/{field.section}/{field.name}"
    yield from ("1", "{}", "[]")


def _first(values: Iterable[str], field: Field) -> list[str]:
    for value in values:
        try:
            field.declaration.kind.from_text(value)
        except ValueError:
            continue
        return [value]
    return []
