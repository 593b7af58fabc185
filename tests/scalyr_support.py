"""Targets and agents for the tests of the Scalyr agent plugin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kube_log_watcher_core import Container, Layout, LogTarget, NodeContext, Pod, Secret
from kube_log_watcher_scalyr import ScalyrAgent
from kube_log_watcher_scalyr.annotations import Wishes, read_annotations
from kube_log_watcher_scalyr.expressions import Expressions
from kube_log_watcher_scalyr.settings import ScalyrSettings

NODE = NodeContext(cluster_id="cluster-1", node="node-1", cluster_alias="blue", cluster_environment="staging")
JWT_RULE = {
    "match_expression": r"eyJ[a-zA-Z0-9/+_=-]{5,}\.eyJ[a-zA-Z0-9/+_=-]{5,}\.[a-zA-Z0-9/+_=-]{5,}",
    "replacement": "+++JWT_TOKEN_REDACTED+++",
}
PARSER = "kubernetes-log-watcher/scalyr-parser"
SAMPLING = "kubernetes-log-watcher/scalyr-sampling-rules"
REDACTION = "kubernetes-log-watcher/scalyr-redaction-rules"
ATTRIBUTES = "kubernetes-log-watcher/scalyr-attributes"
LINE_GROUPERS = "kubernetes-log-watcher/scalyr-line-groupers"


def container_id(number: int) -> str:
    return f"{number:064x}"


def a_target(
    number: int = 1,
    *,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    attributes: dict[str, str] | None = None,
    layout: Layout = Layout.DOCKER,
    pod: str = "shop-1",
    namespace: str = "default",
    name: str = "main",
    log_path: Path | None = None,
) -> LogTarget:
    """Make a target of a pod with the labels application=shop and version=v7, or others."""
    given = {"application": "shop", "version": "v7"} if labels is None else labels
    identity = container_id(number)
    path = log_path or Path(f"/var/lib/docker/containers/{identity}/{identity}-json.log")
    return LogTarget(
        id=identity,
        log_path=path,
        container=Container(
            key=identity,
            layout=layout,
            id=identity,
            name=name,
            pod_name=pod,
            namespace=namespace,
            log_path=path,
        ),
        pod=Pod(uid="uid-1", name=pod, namespace=namespace, labels=given, annotations=annotations or {}),
        application=given.get("application"),
        component=given.get("component"),
        version=given.get("version"),
        release=given.get("release"),
        environment=given.get("environment", NODE.cluster_environment),
        image="app",
        image_version="1.0",
        cluster_id=NODE.cluster_id,
        node=NODE.node,
        attributes=attributes or {},
    )


def settings_in(folder: Path, **others: Any) -> ScalyrSettings:
    """Make settings whose files are below a folder, and those folders."""
    for name in ("dest", "config"):
        (folder / name).mkdir(exist_ok=True)
    return ScalyrSettings(
        api_key=Secret("key-0001"),
        dest_path=folder / "dest",
        config_path=folder / "config" / "agent.json",
        **others,
    )


def an_agent(folder: Path, *, node: NodeContext = NODE, **others: Any) -> ScalyrAgent:
    return ScalyrAgent(settings_in(folder, **others), node)


def wishes_of(target: LogTarget, *, hold: bool = False) -> Wishes:
    """Read a target's annotations, with a whole budget."""
    return read_annotations(target, Expressions(), hold=hold)


def written(agent: ScalyrAgent) -> dict[str, Any]:
    """Read the agent.json that an agent wrote."""
    document: dict[str, Any] = json.loads(agent.settings.config_path.read_bytes())
    return document


def synced(folder: Path, *targets: LogTarget, node: NodeContext = NODE, **others: Any) -> dict[str, Any]:
    """Run an agent once, and read its agent.json."""
    agent = an_agent(folder, node=node, **others)
    agent.sync(targets)
    return written(agent)
