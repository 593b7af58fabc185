"""``check``: everything that the watcher needs, each with a remedy where it is missing.

Nothing is written but one link, to try the spool, which is removed at once.
"""

from __future__ import annotations

import enum
import errno
import functools
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs
import click
from inotify_simple import INotify

from kube_log_watcher_core.agent import FileAgent
from kube_log_watcher_core.agents import make_agent
from kube_log_watcher_core.cli.commands import SettingsCommand
from kube_log_watcher_core.cli.output import one_line
from kube_log_watcher_core.configuration import ChosenAgent, Configuration, Given, configure
from kube_log_watcher_core.discovery import Discovery, NodePaths
from kube_log_watcher_core.errors import (
    AgentConfigError,
    ApiError,
    DiscoveryError,
    Forbidden,
    SettingsError,
    Unauthorized,
)
from kube_log_watcher_core.files.mounts import mounted_names
from kube_log_watcher_core.kube import ApiAccess, Timing
from kube_log_watcher_core.kube.listing import read_list
from kube_log_watcher_core.kube.session import ApiSession
from kube_log_watcher_core.models import Container, Reason
from kube_log_watcher_core.spool import trial
from kube_log_watcher_core.spool.spool import REMEDIES

LIMITS = Path("/proc/sys/fs/inotify")
WATCHES_PER_CONTAINER = 3
"""A pod's folder, its container's, and room for what is just coming and going."""
FEW_INSTANCES = 128
"""The kernel's own default, which several programs of one node share."""

NODE_NAME_RULE = """\
env:
  - name: CLUSTER_NODE_NAME
    valueFrom: {fieldRef: {fieldPath: spec.nodeName}}"""
RIGHTS = """\
in a ClusterRole that is bound to the service account:
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]"""

_TIMING = Timing(connect_seconds=5.0, answer_seconds=10.0, list_seconds=15.0)
_OF_SETTINGS = {"settings", "agents"}


class Level(enum.Enum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works, but not as well as it could."""
    FAIL = "fail"
    """It keeps the watcher from working."""


@attrs.frozen
class Finding:
    """One thing that was looked at."""

    level: Level
    subject: str
    text: str
    remedy: str = ""
    """What would put it right. May have several lines, of YAML say."""


@click.command(cls=SettingsCommand, short_help="Look whether all is there that is needed; write nothing.")
def check(given: Given) -> None:
    """Look whether everything is there that the watcher needs; write nothing.

    With a spool, a log is linked into its folder, and the link removed at once.

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
            found = f"={problem.value}" if problem.value else ""
            text = f"{problem.name}{found} ({problem.source})"
            yield _fail("settings", text, f"expected {problem.expected}")
        yield from check_inotify(())
        return
    yield _ok("settings", "complete" + (f", with {given.config}" if given.config else ""))
    for warning in configuration.warnings:
        yield _warn("settings", warning, "take them out, or correct their names")
    for chosen in configuration.agents:
        yield from _check_agent(chosen, configuration)
    watcher, paths = configuration.watcher, configuration.paths
    containers, finding = find_containers(paths, named=watcher.containers_path is not None)
    yield finding
    yield from check_obstacles(containers)
    yield from check_roots(paths, named=bool(watcher.log_roots))
    yield check_state_dir(watcher.state_dir)
    yield from check_spool(watcher.spool_dir, containers, paths.roots)
    if watcher.cluster_node_name:
        yield _ok("node name", f"CLUSTER_NODE_NAME={watcher.cluster_node_name}")
    else:
        text = "CLUSTER_NODE_NAME is not set: the node is looked for by a pod that is found on disk"
        yield _warn("node name", text, NODE_NAME_RULE)
    yield from check_api(configuration, found_on_disk=len(containers))
    yield from check_inotify(containers)


def _ok(subject: str, text: str) -> Finding:
    return Finding(Level.OK, subject, text)


def _warn(subject: str, text: str, remedy: str) -> Finding:
    return Finding(Level.WARN, subject, text, remedy)


def _fail(subject: str, text: str, remedy: str) -> Finding:
    return Finding(Level.FAIL, subject, text, remedy)


def _check_agent(chosen: ChosenAgent, configuration: Configuration) -> Iterable[Finding]:
    try:
        agent = make_agent(chosen, configuration.node)
    except AgentConfigError as error:
        yield _fail("agents", str(error), "")
        return
    mounted = mounted_names(agent.owned()) if isinstance(agent, FileAgent) else []
    for path in mounted:
        text = chosen.with_variables(
            f"agent {chosen.name}: {path} is mounted by itself, it can't be replaced"
        )
        yield _fail("agents", text, "mount the folder, not the file (no subPath)")
    if not mounted:
        yield _ok("agents", f"{chosen.name} ({chosen.origin}) can work here")
    agent.close()


# ------------------------------------------------------------------ the node


def find_containers(paths: NodePaths, *, named: bool) -> tuple[tuple[Container, ...], Finding]:
    """List the containers, and tell how that went."""
    discovery = Discovery(paths)
    name = f"WATCHER_CONTAINERS_PATH={paths.containers}"
    name += "" if named else " (not set: found by looking)"
    try:
        containers = discovery.scan()
    except DiscoveryError as error:
        remedy = "mount the node's folder of containers (hostPath, read-only) and name it there"
        return (), _fail("containers", f"{name}: {error}", remedy)
    finally:
        discovery.close()
    return containers, _ok("containers", f"{name}: {len(containers)} found")


def check_obstacles(containers: Iterable[Container]) -> Iterable[Finding]:
    """Check which containers have logs that can't be had, and what stands against it."""
    harmless = {Reason.PAUSE, Reason.NOT_KUBERNETES}
    obstacles = [item.obstacle for item in containers if item.obstacle is not None]
    counts = Counter(obstacle.reason for obstacle in obstacles if obstacle.reason not in harmless)
    for reason, count in counts.items():
        example = next(obstacle.detail for obstacle in obstacles if obstacle.reason is reason)
        yield _warn("containers", f"{count} can't be followed: {reason.value}", f"for example: {example}")


def check_roots(paths: NodePaths, *, named: bool) -> Iterable[Finding]:
    """Check which of the folders that logs may lie in are there; nobody misses one that is a default."""
    missing = [root for root in paths.roots if not root.is_dir()]
    there = [str(root) for root in paths.roots if root.is_dir()]
    if named or not there:
        for root in missing:
            text = f"WATCHER_LOG_ROOTS: {root} is no folder"
            yield _fail("log roots", text, "mount it at this path, or take it out")
    if there:
        yield _ok("log roots", f"logs may lie in {', '.join(there)}")


def check_state_dir(folder: Path | None) -> Finding:
    """Check whether something can survive a restart."""
    if folder is None:
        text = "WATCHER_STATE_DIR is not set: what is known is lost with a restart"
        return _warn("state", text, "mount a folder for it")
    name = f"WATCHER_STATE_DIR={folder}"
    if not folder.is_dir():
        return _fail("state", f"{name} is no folder", "create it, or mount it into the container")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return _fail("state", f"{name} can't be written to", "mount it read-write")
    return _ok("state", f"{name} can be written to")


def check_spool(
    folders: Sequence[Path], containers: Iterable[Container], roots: Sequence[Path]
) -> Iterable[Finding]:
    """Try for one log below each root whether it can be kept: one link is made, and removed at once."""
    if not folders:
        return
    name = f"WATCHER_SPOOL_DIR={','.join(map(str, folders))}"
    logs = [it.log_path for it in containers if it.log_path is not None and it.log_path.is_file()]
    tried = {root: log for root in roots for log in logs if log.is_relative_to(root)}
    for log in tried.values():
        obstacles: list[str] = []
        for folder in folders:
            obstacle = trial(folder, log)
            if not obstacle:
                yield _ok(
                    "spool", f"a link to {log} was made in {folder}, and removed: its files can be kept"
                )
                break
            obstacles.append(f"{folder}: {obstacle}")
        else:
            remedy = "\n".join([*obstacles, "until then such logs are followed by their path"])
            yield _fail("spool", f"{name}: {log} can't be linked there", remedy)
    if not tried:
        yield from _spool_without_logs(folders, roots, name)


def _spool_without_logs(folders: Sequence[Path], roots: Sequence[Path], name: str) -> Iterable[Finding]:
    """Compare devices where there is no log to try: what has another one can't work."""
    for folder in folders:
        if not folder.is_dir():
            yield _fail("spool", f"{name}: {folder} is no folder", REMEDIES[errno.ENOENT])
    there = {folder.stat().st_dev for folder in folders if folder.is_dir()}
    apart = [root for root in roots if root.is_dir() and root.stat().st_dev not in there]
    for root in apart if there else ():
        text = f"{name}: it is on another file system than {root}"
        yield _warn("spool", text, REMEDIES[errno.EXDEV])
    if there and not apart:
        yield _ok("spool", f"{name}: on the file system of the logs; there is no log yet to try a link with")


def check_inotify(containers: Sequence[Container], *, limits: Path = LIMITS) -> Iterable[Finding]:
    """Check whether the kernel's limits leave room for watching."""
    needed = len(containers) * WATCHES_PER_CONTAINER + 16
    watches, instances = (_limit(limits / f"max_user_{what}") for what in ("watches", "instances"))
    if watches is not None and watches < needed:
        text = f"fs.inotify.max_user_watches={watches}, expected at least {needed}: changes are found late"
        yield _warn("inotify", text, f"on the node: sysctl -w fs.inotify.max_user_watches={needed * 10}")
    try:
        INotify().close()
    except OSError as error:
        refusal = errno.errorcode.get(error.errno or 0, str(error))
        text = f"no instance can be had ({refusal}), fs.inotify.max_user_instances={instances}"
        yield _warn("inotify", text, "on the node: sysctl -w fs.inotify.max_user_instances=1024")
        return
    if instances is not None and instances < FEW_INSTANCES:
        text = f"fs.inotify.max_user_instances={instances}, expected at least {FEW_INSTANCES}"
        yield _warn("inotify", text, f"on the node: sysctl -w fs.inotify.max_user_instances={FEW_INSTANCES}")
    else:
        text = f"limits: {watches} watches, {instances} instances; about {needed} watches needed"
        yield _ok("inotify", text)


def _limit(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


# ------------------------------------------------------------------ the Kubernetes API


def check_api(configuration: Configuration, *, found_on_disk: int) -> Iterable[Finding]:
    """Ask for this node's pods, and open one short watch."""
    access = configuration.access
    # Nobody asks afterwards how many requests it took.
    session = ApiSession(access, timing=_TIMING, clock=time.monotonic, count=lambda _verb, _code: None)
    ask = functools.partial(session.get, path="/api/v1/pods", answer_seconds=_TIMING.answer_seconds)
    node = configuration.watcher.cluster_node_name
    of_node = {"fieldSelector": f"spec.nodeName={node}", "resourceVersion": "0"} if node else {}
    try:
        with ask("list", params=of_node or {"limit": "1"}) as answer:
            found = read_list(answer.pieces())
        yield _ok("API", f"{access.url} answers; we may list pods")
        if node and not found.pods and not found.unreadable and found_on_disk:
            text = f"no pod has spec.nodeName={node}, but {found_on_disk} containers are on disk"
            remedy = "CLUSTER_NODE_NAME must be the node's name as `kubectl get nodes` has it"
            yield _warn("API", text, remedy)
        with ask("watch", params={"resourceVersion": "0", **of_node, "watch": "1", "timeoutSeconds": "1"}):
            yield _ok("API", "we may watch pods")
    except ApiError as error:
        yield _refused(error, access)
    finally:
        session.close()


def _refused(error: ApiError, access: ApiAccess) -> Finding:
    if isinstance(error, Forbidden):
        return _fail("API", str(error), RIGHTS)
    if isinstance(error, Unauthorized):
        where = access.token_file or "the proxy's own credentials (WATCHER_KUBE_URL)"
        remedy = f"look at the token: {where}; or set WATCHER_KUBE_URL to a proxy that authenticates"
        return _fail("API", str(error), remedy)
    remedy = f"is {access.url} reachable from here, and its certificate signed by {access.ca_file}?"
    if access.token_file is None:
        remedy = f"is the proxy of WATCHER_KUBE_URL={access.url} running, and reachable from here?"
    return _fail("API", f"{access.url}: {error}", remedy)


# ------------------------------------------------------------------ how it is shown


def show(findings: Sequence[Finding], *, table: bool) -> None:
    """Print findings: a table for people at a terminal, lines for everybody else."""
    if table:
        _show_table(findings)
        return
    for finding in findings:
        click.echo(f"{finding.level.value:<5} {finding.subject}: {one_line(finding.text)}")
        for line in finding.remedy.splitlines():
            click.echo(f"      {line}")


def _show_table(findings: Sequence[Finding]) -> None:
    # Imported only here: the daemon never needs it.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    styles = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}
    table = Table("", "checked", "found", "remedy", show_lines=True)
    for finding in findings:
        level = Text(finding.level.value, styles[finding.level])
        table.add_row(level, finding.subject, Text(one_line(finding.text)), Text(finding.remedy))
    Console().print(table)
