"""``once --dry-run``: what every agent would change."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence

import click

from kube_log_watcher_core.agent import FileAgent, rehearse
from kube_log_watcher_core.agents import make_agent
from kube_log_watcher_core.configuration import ChosenAgent, Configuration
from kube_log_watcher_core.errors import AgentConfigError, AgentError
from kube_log_watcher_core.files import Change
from kube_log_watcher_core.models import LogTarget, NodeContext
from kube_log_watcher_core.observe.logs import visible
from kube_log_watcher_core.settings.masks import Masks

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def show_differences(configuration: Configuration, targets: Sequence[LogTarget]) -> int:
    """Print what would change, for each agent; return the exit code: 1 when an agent would fail."""
    ends = [_show(chosen, configuration.node, targets) for chosen in configuration.agents]
    return 0 if all(ends) else 1


def _show(chosen: ChosenAgent, node: NodeContext, targets: Sequence[LogTarget]) -> bool:
    click.echo(f"agent {chosen.name}:")
    works = True
    try:
        make_agent(chosen, node).close()
    except AgentConfigError as error:
        tell(f"would fail: {error}")
        works = False
    if not issubclass(chosen.agent_class, FileAgent):
        tell("can't be shown: it is no FileAgent, so only it knows what it writes")
        return works
    try:
        # Made anew: one that fails its check would show all the same what it writes.
        agent = chosen.agent_class(chosen.settings, node)
        changes = rehearse(agent, targets)
        agent.close()
    except (AgentError, OSError) as error:
        tell(f"would fail: {error}")
        return False
    print_changes(changes, Masks(chosen.settings))
    return works


def print_changes(changes: Sequence[Change], masks: Masks) -> None:
    """Print changes, without secrets."""
    if not changes:
        tell("nothing would change")
    for change in changes:
        for line in describe_change(change, masks):
            click.secho(visible(line), fg=_COLOURS.get(line[:1]))


def describe_change(change: Change, masks: Masks) -> Iterable[str]:
    """Return the lines for one change: a unified diff for a file, one line for a link or a removal."""
    if change.after is None:
        return [f"- remove {change.path}"]
    if change.link:
        target = os.fsdecode(change.after)
        was = f" (was {os.fsdecode(change.before)})" if change.before is not None else ""
        return [f"+ link {change.path} -> {target}{was}"]
    old, new = (
        masks.hide((content or b"").decode("utf-8", "replace")).splitlines()
        for content in (change.before, change.after)
    )
    path, is_new = str(change.path), change.before is None
    before = "/dev/null" if is_new else path
    lines = list(difflib.unified_diff(old, new, fromfile=before, tofile=path, lineterm=""))
    return lines or [f"+ {path}: {'an empty file' if is_new else 'only what is not shown differs'}"]


def tell(text: str) -> None:
    """Print a line about an agent."""
    click.echo(f"  {visible(text)}")
