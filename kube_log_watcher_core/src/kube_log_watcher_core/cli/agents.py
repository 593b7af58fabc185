"""``agents``: which agents there are, how they are, and what they can be told."""

from __future__ import annotations

import json
from collections.abc import Iterable

import attrs
import click

from kube_log_watcher_core.cli.agent_records import AgentRecord, SettingRecord, agent_records
from kube_log_watcher_core.cli.commands import SettingsCommand
from kube_log_watcher_core.cli.output import one_line
from kube_log_watcher_core.configuration import Given


@click.command(cls=SettingsCommand)
@click.option("--output", type=click.Choice(["text", "json"]), default="text", help="How to show them.")
def agents(given: Given, *, output: str) -> None:
    """List the installed agents with their status and settings; needs no settings itself."""
    records = agent_records(given)
    if output == "json":
        click.echo(json.dumps([_as_json(record) for record in records], indent=2))
        return
    for line in _as_text(records):
        click.echo(line)


def _as_json(record: AgentRecord) -> dict[str, object]:
    return attrs.asdict(record) | {"status": record.status.value}


def _as_text(records: Iterable[AgentRecord]) -> Iterable[str]:
    found = False
    for record in records:
        if found:
            yield ""
        found = True
        yield from _agent(record)
    if not found:
        yield "no agents are installed: pip install 'kube-log-watcher[all]'"


def _agent(record: AgentRecord) -> Iterable[str]:
    origin = f" ({f'{record.distribution} {record.version}'.strip()})" if record.distribution else ""
    reasons = [one_line(reason) for reason in record.reasons]
    first = f": {reasons[0]}" if len(reasons) == 1 else ":" if reasons else ""
    yield f"{record.name}{origin}: {record.status.value}{first}"
    if len(reasons) > 1:
        yield from (f"  {reason}" for reason in reasons)
    for setting in record.settings:
        yield from _setting(setting)


def _setting(setting: SettingRecord) -> Iterable[str]:
    default = (
        "required" if setting.required else f"default {setting.default}" if setting.default else "optional"
    )
    yield f"  {setting.variable}"
    yield f"      {setting.help} ({setting.kind}; {default})"
