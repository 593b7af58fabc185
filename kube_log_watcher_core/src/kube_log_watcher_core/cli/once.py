"""``once``: one complete pass, or what it would change."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

import attrs
import click

from kube_log_watcher_core.agent import sync_to_the_end
from kube_log_watcher_core.agents import Claim, ExclusiveFolders, FolderLocks, Objections, make_agent
from kube_log_watcher_core.cli.commands import SettingsCommand
from kube_log_watcher_core.cli.commands_of_others import callback_of
from kube_log_watcher_core.cli.differences import show_differences
from kube_log_watcher_core.cli.output import joined, one_line, start_logging
from kube_log_watcher_core.configuration import Configuration, Given, configure
from kube_log_watcher_core.errors import AgentError, ApiError
from kube_log_watcher_core.explain.look import Look, look
from kube_log_watcher_core.models import Container, Skipped
from kube_log_watcher_core.resolve import Resolution
from kube_log_watcher_core.spool import DrySpoolDisk, Janitor, SpoolDisk


@click.command(
    cls=SettingsCommand, short_help="Do one complete pass and leave, or show what it would change."
)
@click.option("--dry-run", is_flag=True, help="Show the differences instead of writing them.")
@click.option(
    "--sample",
    is_flag=True,
    help="With --dry-run: work on a made-up node, without a cluster, as the command `sample` does.",
)
@click.option(
    "--change",
    is_flag=True,
    help="With --sample: also show the differences that a relabelled, a restarted and a removed container "
    "make.",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0.1),
    default=30.0,
    metavar="SECONDS",
    show_default=True,
    help="How long to wait for the Kubernetes API.",
)
def once(given: Given, *, dry_run: bool, sample: bool, change: bool, timeout_seconds: float) -> None:
    """Do one complete pass and leave.

    Exit code 1: an agent failed. 75: the node or the Kubernetes API could not be read.
    """
    if change and not sample:
        raise click.UsageError("--change shows changes of a sample: add --sample")
    if sample:
        if not dry_run:
            raise click.UsageError("a sample is never written: add --dry-run")
        sys.exit(callback_of("sample")(given, change=change))
    configuration = configure(given)
    start_logging(configuration)
    if dry_run:
        seen = look_once(configuration, timeout_seconds=timeout_seconds, keep_on=DrySpoolDisk(pretends=True))
        sys.exit(show_differences(configuration, seen.resolution.targets))
    resolution, errors = one_pass(configuration, timeout_seconds=timeout_seconds)
    click.echo("\n".join(_summary(resolution, errors)))
    sys.exit(1 if any(errors.values()) else 0)


def look_once(
    configuration: Configuration, *, timeout_seconds: float, keep_on: SpoolDisk | None = None
) -> Look:
    """Look at the node and the API until both were seen whole.

    Logs that are gone and still drain, by the state file, are among the targets.
    Raises `DiscoveryError` when the containers can't be listed, and `ApiError` when the pods can't be had
    within the time.
    """
    seen = look(configuration, timeout_seconds=timeout_seconds, keep_on=keep_on)
    if seen.api_error is not None:
        raise ApiError(seen.api_error)
    targets = [*seen.resolution.targets, *(each.target for each in seen.departed)]
    targets.sort(key=lambda target: target.id)
    return attrs.evolve(seen, resolution=attrs.evolve(seen.resolution, targets=tuple(targets)))


def one_pass(
    configuration: Configuration, *, timeout_seconds: float
) -> tuple[Resolution, Mapping[str, str | None]]:
    """Do one complete pass; return what was decided, and by the agents' names what went wrong, if anything.

    An agent whose folders another watcher has is left to that one, and that is told as an error. A spool
    that it has is left to it as well.
    """
    agents = {chosen.name: make_agent(chosen, configuration.node) for chosen in configuration.agents}
    spool = Claim(FolderLocks(), configuration.watcher.spool_dir)
    keep_on = SpoolDisk() if spool.take() else None
    seen = look_once(configuration, timeout_seconds=timeout_seconds, keep_on=keep_on)
    resolution = seen.resolution
    folders = ExclusiveFolders(configuration.watcher.state_dir)
    errors: dict[str, str | None] = dict.fromkeys(agents)
    ready = {target.container.key for target in resolution.targets}
    for name, agent in agents.items():
        try:
            folders.have(agent)
            sync_to_the_end(agent, resolution.targets)
            Objections(name, agent).look(resolution.targets)
            if agent.gates:
                ready &= {target.container.key for target in agent.ready(resolution.targets)}
        except (AgentError, OSError) as error:
            errors[name] = str(error)
            if agent.gates:
                ready.clear()
        finally:
            agent.close()
    if seen.keeper is not None and keep_on is not None:
        seen.keeper.settle(resolution.targets, resolution.skipped, ready=ready)
        chores = seen.keeper.chores((), {})
        if chores is not None:  # what nobody wants; what is closed is the next watcher's to judge
            Janitor(keep_on).sweep(attrs.evolve(chores, logs=()))
    spool.release()
    return resolution, errors


def _summary(resolution: Resolution, errors: Mapping[str, str | None]) -> Iterable[str]:
    """Yield what is followed, what isn't and why, and how the agents did."""
    yield f"followed: {len(resolution.targets)}"
    for target in resolution.targets:
        read = target.pattern if target.is_spooled else target.log_path
        yield "  " + one_line(f"{_place(target.container)}: {read}")
    yield f"skipped: {len(resolution.skipped)}"
    by_reason: dict[str, list[Skipped]] = {}
    for item in resolution.skipped:
        by_reason.setdefault(item.reason.value, []).append(item)
    for reason, items in sorted(by_reason.items()):
        yield f"  {reason}: {len(items)}"
        for item in items:
            yield "    " + one_line(joined([_place(item.container), item.detail], ": "))
    for name, error in errors.items():
        yield one_line(f"agent {name}: {error or 'ok'}")


def _place(container: Container) -> str:
    """Return a container's name, as far as the node tells it."""
    if not container.pod_name:
        return container.key
    return f"{container.namespace}/{container.pod_name}/{container.name}"
