"""``check``: everything that the watcher needs, each with a remedy where it is missing.

Nothing is written but one link, to try the spool, which is removed at once.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Iterable

import click

from kube_log_watcher_core.agent import FileAgent
from kube_log_watcher_core.agents import make_agent
from kube_log_watcher_core.cli.check_node import (
    check_inotify,
    check_obstacles,
    check_roots,
    check_spool,
    check_state_dir,
    find_containers,
)
from kube_log_watcher_core.cli.commands import SettingsCommand
from kube_log_watcher_core.cli.findings import Finding, Level, fail, ok, show, warn
from kube_log_watcher_core.configuration import ChosenAgent, Configuration, Given, configure
from kube_log_watcher_core.errors import (
    AgentConfigError,
    ApiError,
    Forbidden,
    SettingsError,
    Unauthorized,
)
from kube_log_watcher_core.files.mounts import mounted_names
from kube_log_watcher_core.kube import ApiAccess, Timing
from kube_log_watcher_core.kube.decode import as_dict
from kube_log_watcher_core.kube.listing import read_list
from kube_log_watcher_core.kube.session import ApiSession

NODE_NAME_RULE = """\
env:
  - name: CLUSTER_NODE_NAME
    valueFrom: {fieldRef: {fieldPath: spec.nodeName}}"""
RIGHTS = """\
in a ClusterRole that is bound to the service account:
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]"""

EVENTS = """\
in a ClusterRole that is bound to the service account:
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]"""

_TIMING = Timing(connect_seconds=5.0, answer_seconds=10.0, list_seconds=15.0)
_OF_SETTINGS = {"settings", "agents"}


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
            yield fail("settings", text, f"expected {problem.expected}")
        yield from check_inotify(())
        return
    yield ok("settings", "complete" + (f", with {given.config}" if given.config else ""))
    for warning in configuration.warnings:
        yield warn("settings", warning, "take them out, or correct their names")
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
        yield ok("node name", f"CLUSTER_NODE_NAME={watcher.cluster_node_name}")
    else:
        text = "CLUSTER_NODE_NAME is not set: the node is looked for by a pod that is found on disk"
        yield warn("node name", text, NODE_NAME_RULE)
    yield from check_api(configuration, found_on_disk=len(containers))
    yield from check_inotify(containers)


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
        yield ok("API", f"{access.url} answers; we may list pods")
        if node and not found.pods and not found.unreadable and found_on_disk:
            text = f"no pod has spec.nodeName={node}, but {found_on_disk} containers are on disk"
            remedy = "CLUSTER_NODE_NAME must be the node's name as `kubectl get nodes` has it"
            yield warn("API", text, remedy)
        with ask("watch", params={"resourceVersion": "0", **of_node, "watch": "1", "timeoutSeconds": "1"}):
            yield ok("API", "we may watch pods")
        if configuration.watcher.events:
            yield from _check_events(session)
    except ApiError as error:
        yield _refused(error, access)
    finally:
        session.close()


def _check_events(session: ApiSession) -> Iterable[Finding]:
    """Ask the API whether we may do what Events on pods need; none is made."""
    for verb in ("create", "patch"):
        asked = {"group": "events.k8s.io", "resource": "events", "verb": verb}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        answer = session.send("create", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        if as_dict(as_dict(json.loads(answer)).get("status")).get("allowed") is True:
            yield ok("API", f"we may {verb} Events")
        else:
            yield warn(
                "API", f"WATCHER_EVENTS: we may not {verb} Events, so pods' authors are not told", EVENTS
            )


def _refused(error: ApiError, access: ApiAccess) -> Finding:
    if isinstance(error, Forbidden):
        return fail("API", str(error), RIGHTS)
    if isinstance(error, Unauthorized):
        where = access.token_file or "the proxy's own credentials (WATCHER_KUBE_URL)"
        remedy = f"look at the token: {where}; or set WATCHER_KUBE_URL to a proxy that authenticates"
        return fail("API", str(error), remedy)
    remedy = f"is {access.url} reachable from here, and its certificate signed by {access.ca_file}?"
    if access.token_file is None:
        remedy = f"is the proxy of WATCHER_KUBE_URL={access.url} running, and reachable from here?"
    return fail("API", f"{access.url}: {error}", remedy)
