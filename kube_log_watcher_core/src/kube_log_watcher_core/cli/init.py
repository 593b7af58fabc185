"""``init``: the first configuration of every agent, for an init container."""

from __future__ import annotations

import click

from kube_log_watcher_core.agents import ExclusiveFolders, FolderTaken, make_agent
from kube_log_watcher_core.cli.commands import SettingsCommand
from kube_log_watcher_core.cli.output import start_logging
from kube_log_watcher_core.configuration import ChosenAgent, Configuration, Given, configure
from kube_log_watcher_core.errors import AgentConfigError, AgentError


@click.command(
    cls=SettingsCommand, short_help="Write the agents' first configuration: for an init container."
)
def init(given: Given) -> None:
    """Write each agent's first configuration, for shippers that won't start without; for an init container.

    Neither the node's folders nor the Kubernetes API are needed. What is there already stays. An agent on
    whose folders a watcher is at work is left to that watcher, which has done the same before: that is no
    failure, for in a rolling update the old watcher may only end once the new pod has started.
    """
    configuration = configure(given)
    start_logging(configuration)
    folders = ExclusiveFolders(configuration.watcher.state_dir)
    failures = [text for agent in configuration.agents if (text := _prepare(agent, configuration, folders))]
    if failures:
        raise AgentConfigError("\n".join(failures))


def _prepare(chosen: ChosenAgent, configuration: Configuration, folders: ExclusiveFolders) -> str:
    """Prepare one agent; give what went wrong, for the others go on."""
    try:
        agent = make_agent(chosen, configuration.node)
    except AgentConfigError as error:
        return str(error)
    try:
        folders.have(agent)
        agent.prepare()
    except FolderTaken as taken:
        click.echo(f"agent {chosen.name}: {taken}, and has prepared it")
        return ""
    except (AgentError, OSError) as error:
        return f"agent {chosen.name} can't write its first configuration: {error}"
    finally:
        agent.close()
    click.echo(f"agent {chosen.name}: ready")
    return ""
