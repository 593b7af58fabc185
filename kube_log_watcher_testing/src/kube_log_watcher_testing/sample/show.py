"""Shows what agents would write for the sample node. No disk is written to, and none is read."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import attrs
import click

from kube_log_watcher_core.agent import BaseAgent, FileAgent, rehearse
from kube_log_watcher_core.cli.differences import print_changes, tell
from kube_log_watcher_core.cli.output import one_line, start_logging
from kube_log_watcher_core.configuration import ChosenAgent, Configuration, Given, configure
from kube_log_watcher_core.errors import AgentError
from kube_log_watcher_core.models import LogTarget, NodeContext
from kube_log_watcher_core.resolve import Known, resolve
from kube_log_watcher_core.settings.masks import Masks
from kube_log_watcher_testing.imagined import ImaginedDisk
from kube_log_watcher_testing.sample.given import made_up, with_made_up
from kube_log_watcher_testing.sample.scenes import Scene, scenes


def show_sample(given: Given, *, change: bool) -> int:
    """Print all files for the sample, and with ``change`` the differences that its changes make.

    Gives the exit code: 1 when an agent would fail.
    """
    configuration = configure(with_made_up(given))
    start_logging(configuration)
    for name, value in made_up(given).items():
        click.echo(one_line(f"made up, for it is not set: {name}={value}"))
    actors = [_make(chosen, configuration.node) for chosen in configuration.agents]
    for scene in itertools.islice(scenes(), None if change else 1):
        targets = _resolved(scene, configuration)
        click.echo(f"\n{scene.title}: {len(targets)} of {len(scene.runs)} containers are followed")
        for actor in actors:
            actor.play(targets)
    for actor in actors:
        actor.end()
    return 1 if any(actor.failed for actor in actors) else 0


def _resolved(scene: Scene, configuration: Configuration) -> Sequence[LogTarget]:
    return resolve(scene.containers(), scene.pods(), configuration.rules, Known()).targets


@attrs.define
class _Actor:
    """An agent at work on a disk that is only imagined."""

    chosen: ChosenAgent
    agent: BaseAgent[Any] | None
    disk: ImaginedDisk
    failed: bool = False

    def play(self, targets: Sequence[LogTarget]) -> None:
        """Let the agent sync, and print what that changes."""
        click.echo(f"agent {self.chosen.name}:")
        if not isinstance(self.agent, FileAgent):
            if self.agent is not None:
                tell("can't be shown: it is no FileAgent, so only it knows what it writes")
            return
        try:
            rehearse(self.agent, targets, self.disk)
        except (AgentError, OSError) as error:
            tell(f"would fail: {error}")
            self.failed = True
        changes = sorted(self.disk.changes, key=lambda made: made.path)
        print_changes(changes, Masks(self.chosen.settings))

    def end(self) -> None:
        """Let the agent go."""
        if self.agent is not None:
            self.agent.close()


def _make(chosen: ChosenAgent, node: NodeContext) -> _Actor:
    disk = ImaginedDisk()
    try:
        agent = chosen.agent_class(chosen.settings, node)
    except AgentError as error:
        tell(f"agent {chosen.name} would fail: {error}")
        return _Actor(chosen, None, disk, failed=True)
    return _Actor(chosen, agent, disk)
