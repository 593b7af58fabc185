"""One complete pass, for ``once``: look, wait for the API, let each agent sync, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.agents import ExclusiveFolders, make_agent
from kube_log_watcher_core.configuration import Configuration
from kube_log_watcher_core.errors import AgentError, ApiError
from kube_log_watcher_core.explain.look import look
from kube_log_watcher_core.models import LogTarget
from kube_log_watcher_core.resolve import Resolution


def look_once(
    configuration: Configuration,
    *,
    timeout_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
) -> Resolution:
    """Look at the node and the API until both were seen whole.

    Logs that are gone and still drain, by the state file, are among the targets.

    Raises
    ------
    DiscoveryError
        when the containers can't be listed.
    ApiError
        when the pods can't be had within the time.
    """
    seen = look(configuration, timeout_seconds=timeout_seconds, clock=clock, wall=wall)
    if seen.api_error is not None:
        raise ApiError(seen.api_error)
    draining = [each.target for each in seen.departed]
    return attrs.evolve(seen.resolution, targets=_by_id([*seen.resolution.targets, *draining]))


def _by_id(targets: Iterable[LogTarget]) -> tuple[LogTarget, ...]:
    return tuple(sorted(targets, key=lambda target: target.id))


@attrs.frozen
class AgentResult:
    """What one agent did in a single pass."""

    name: str
    error: str | None = None


def one_pass(configuration: Configuration, *, timeout_seconds: float) -> tuple[Resolution, list[AgentResult]]:
    """Do one complete pass: every agent's configuration matches afterwards, or its error is told.

    An agent whose folders another watcher has is left to that one, and that is told as an error.
    """
    agents = [(chosen.name, make_agent(chosen, configuration.node)) for chosen in configuration.agents]
    resolution = look_once(configuration, timeout_seconds=timeout_seconds)
    folders = ExclusiveFolders(configuration.watcher.state_dir)
    return resolution, list(_sync_all(agents, resolution, folders))


def _sync_all(
    agents: Iterable[tuple[str, BaseAgent[Any]]], resolution: Resolution, folders: ExclusiveFolders
) -> Iterable[AgentResult]:
    for name, agent in agents:
        try:
            folders.have(agent)
            agent.sync(resolution.targets)
        except (AgentError, OSError) as error:
            yield AgentResult(name, str(error))
        else:
            yield AgentResult(name)
        finally:
            agent.close()
