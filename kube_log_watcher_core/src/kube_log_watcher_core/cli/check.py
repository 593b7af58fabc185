"""``check``: everything that the watcher needs, each with a remedy where it is missing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import click

from kube_log_watcher_core.agent import FileAgent
from kube_log_watcher_core.agents import make_agent
from kube_log_watcher_core.cli.check_api import check_api
from kube_log_watcher_core.cli.check_node import (
    check_inotify,
    check_node_name,
    check_obstacles,
    check_roots,
    check_state_dir,
    find_containers,
)
from kube_log_watcher_core.cli.commands import SettingsCommand
from kube_log_watcher_core.cli.findings import Finding, Level, fail, ok, show, warn
from kube_log_watcher_core.configuration import ChosenAgent, Configuration, Given, configure
from kube_log_watcher_core.errors import AgentConfigError, Problem, SettingsError
from kube_log_watcher_core.files.mounts import mounted_names

_OF_SETTINGS = {"settings", "agents"}


@click.command(cls=SettingsCommand, short_help="Look whether all is there that is needed; write nothing.")
def check(given: Given) -> None:
    """Look whether everything is there that the watcher needs; write nothing.

    Exit code 78: the settings or an agent's are wrong. 1: something else would fail.
    """
    findings = list(look_at_everything(given))
    show(findings, table=sys.stdout.isatty())
    failed = {finding.subject for finding in findings if finding.level is Level.FAIL}
    sys.exit(0 if not failed else os.EX_CONFIG if failed & _OF_SETTINGS else 1)


def look_at_everything(given: Given) -> Iterable[Finding]:
    """Check settings, agents, folders, the API and the kernel's limits."""
    try:
        configuration = configure(given)
    except SettingsError as error:
        for problem in error.problems:
            yield _wrong_setting(problem)
        yield from check_inotify(())
        return
    yield ok("settings", "complete" + (f", with {given.config}" if given.config else ""))
    for warning in configuration.warnings:
        yield warn("settings", warning, "take them out, or correct their names")
    for chosen in configuration.agents:
        yield from _check_agent(chosen, configuration)
    yield from _check_node(configuration)


def _wrong_setting(problem: Problem) -> Finding:
    found = f"={problem.value}" if problem.value else ""
    return fail("settings", f"{problem.name}{found} ({problem.source})", f"expected {problem.expected}")


def _check_agent(chosen: ChosenAgent, configuration: Configuration) -> Iterable[Finding]:
    try:
        agent = make_agent(chosen, configuration.node)
    except AgentConfigError as error:
        yield fail("agents", str(error), "")
        return
    mounted = mounted_names(agent.owned()) if isinstance(agent, FileAgent) else []
    for path in mounted:
        text = chosen.with_variables(
            f"agent {chosen.name}: {path} is mounted by itself, it can't be replaced"
        )
        yield fail("agents", text, "mount the folder, not the file (no subPath)")
    if not mounted:
        yield ok("agents", f"{chosen.name} ({chosen.origin}) can work here")
    agent.close()


def _check_node(configuration: Configuration) -> Iterable[Finding]:
    paths = configuration.paths
    containers, finding = find_containers(paths, named=configuration.watcher.containers_path is not None)
    yield finding
    yield from check_obstacles(containers)
    yield from check_roots(paths, named=bool(configuration.watcher.log_roots))
    yield check_state_dir(configuration.watcher.state_dir)
    yield check_node_name(configuration)
    yield from check_api(configuration, found_on_disk=len(containers))
    yield from check_inotify(containers)
