"""Settings for whichever agents are installed: made from what they declare, for the core names none."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import attrs

from kube_log_watcher_core.errors import PluginError
from kube_log_watcher_core.plugins import installed, load_agent
from kube_log_watcher_core.settings import PATH, SECRET, TEXT, Field, fields_of


@attrs.frozen
class Sample:
    """An agent with values for its settings."""

    name: str
    values: dict[str, str]
    """By ``section.field``."""
    obstacle: str = ""
    """Why it can't take part."""


def sample_settings(folder: Path, *, only: Collection[str] | None) -> list[Sample]:
    """Make settings that keep every agent inside a folder."""
    offers = installed()
    names = dict.fromkeys(offer.name for offer in offers if only is None or offer.name in only)
    samples = []
    for name in [*names, *sorted(set(only or ()) - names.keys())]:
        try:
            agent_class = load_agent(name, offers)
        except PluginError as error:
            samples.append(Sample(name, {}, str(error)))
            continue
        if not agent_class.awaits_shipper:
            samples.append(_sample(name, fields_of(agent_class.settings_class, name), folder / name))
        elif only is not None:
            samples.append(Sample(name, {}, "it waits for its shipper's answer, and none runs here"))
    return samples


def _sample(name: str, fields: Iterable[Field], folder: Path) -> Sample:
    folder.mkdir(parents=True)
    values: dict[str, str] = {}
    for field in fields:
        value = _value(field, folder)
        if value is not None:
            values[f"{name}.{field.name}"] = value
        elif field.required:
            return Sample(name, {}, f"{field.variable} is required, and the demo can't make one up")
    return Sample(name, values)


def _value(field: Field, folder: Path) -> str | None:
    kind = field.declaration.kind
    if kind is PATH and field.required:
        made = folder / field.name
        made.mkdir()
        return str(made)
    if kind is PATH and isinstance(field.default, Path):
        # A default leads into the real system, where a demo has no business.
        return str(folder / field.default.name)
    made_up = {SECRET: "a-made-up-key", TEXT: "demo"}
    return made_up.get(kind) if field.required else None
