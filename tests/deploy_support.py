"""The chart and the manifests rendered from it, as objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from helm_python import Chart

from documents import ROOT
from support import LOADER

DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "kube-log-watcher"
EXAMPLES = {path.stem: path for path in sorted((DEPLOY / "examples").glob("*.yaml"))}
BEFORE_SIDECARS = "scalyr-before-1.29"

Manifest = dict[str, Any]


def render(values: Mapping[str, Any]) -> list[Manifest]:
    """Render the chart to objects."""
    with Chart.load(CHART) as chart:
        rendered = chart.render(dict(values), name="kube-log-watcher", namespace="kube-system")
    texts = (text for name, text in rendered.items() if name.endswith(".yaml"))
    return [document for text in texts for document in yaml.load_all(text, LOADER) if document]


def notes(values: Mapping[str, Any]) -> str:
    """Render what people are told after an installation."""
    with Chart.load(CHART) as chart:
        rendered = chart.render(dict(values), name="kube-log-watcher", namespace="kube-system")
    return next(text for name, text in rendered.items() if name.endswith("NOTES.txt"))


def manifests(example: str) -> list[Manifest]:
    """Read an example's plain manifests."""
    text = (DEPLOY / "manifests" / f"{example}.yaml").read_text()
    return [document for document in yaml.load_all(text, LOADER) if document]


def one(documents: Iterable[Manifest], kind: str) -> Manifest:
    """Give the only object of a kind; of several the first."""
    return next(document for document in documents if document["kind"] == kind)


def pod_of(documents: Iterable[Manifest]) -> Manifest:
    """Give the DaemonSet's pod."""
    spec: Manifest = one(documents, "DaemonSet")["spec"]["template"]["spec"]
    return spec


def containers_of(pod: Manifest) -> Sequence[Manifest]:
    """Give all containers of a pod in the order in which they start."""
    return [*pod.get("initContainers", ()), *pod["containers"]]


def container(pod: Manifest, name: str) -> Manifest:
    """Give a pod's container by its name."""
    return next(each for each in containers_of(pod) if each["name"] == name)


def watchers(pod: Manifest) -> Sequence[Manifest]:
    """Give the containers that run a watcher's image."""
    return [each for each in containers_of(pod) if each["name"] in ("watcher", "init")]


def mounts(of: Manifest) -> Mapping[Path, Manifest]:
    """Give a container's mounts by their paths."""
    return {Path(mount["mountPath"]): mount for mount in of["volumeMounts"]}


def settings_of(documents: Iterable[Manifest]) -> str:
    """Give the watcher's settings file."""
    text: str = one(documents, "ConfigMap")["data"]["settings.yaml"]
    return text
