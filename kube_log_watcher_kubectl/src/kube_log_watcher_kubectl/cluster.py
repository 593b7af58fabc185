"""What is asked of the cluster, all of it through ``kubectl``."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SELECTOR = "app.kubernetes.io/name=kube-log-watcher"
"""The label that the chart gives the watcher's pods."""
CONTAINER = "watcher"


class KubectlFailed(Exception):
    """A call of ``kubectl`` did not come to its end, or not well; the message is what it said."""


_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")


@dataclass(frozen=True)
class PlacedPod:
    """A pod on its node."""

    namespace: str
    name: str
    node: str


@dataclass(frozen=True)
class Watcher:
    """A watcher's pod."""

    namespace: str
    pod: str
    node: str


@dataclass(frozen=True)
class Answer:
    """What a command said in a watcher's pod."""

    code: int
    output: str
    error: str


@dataclass(frozen=True)
class Cluster:
    """One cluster, as ``kubectl`` reaches it.

    Parameters
    ----------
    options
        of every call: ``--context`` and the like.
    seconds
        how long a call may take.
    """

    options: Sequence[str] = ()
    watcher_namespace: str | None = None
    watcher_selector: str = SELECTOR
    seconds: float = 20.0

    def find(self, namespace: str | None, pod: str) -> PlacedPod | None:
        """Return a pod and its node; None when the API has no such pod, or it has no node yet.

        Raises
        ------
        KubectlFailed
            when that can't be known.
        """
        if not _NAME.fullmatch(pod):
            raise KubectlFailed(f"{pod!r} is no name of a pod")
        scope = ["--namespace", namespace] if namespace else []
        for item in self._get("pods", *scope, "--field-selector", f"metadata.name={pod}"):
            node = str(item.get("spec", {}).get("nodeName") or "")
            if node:
                return PlacedPod(namespace=str(item["metadata"]["namespace"]), name=pod, node=node)
        return None

    def pods(self, namespace: str | None) -> list[str]:
        """Return the names of a namespace's pods."""
        scope = ["--namespace", namespace] if namespace else []
        return [str(item["metadata"]["name"]) for item in self._get("pods", *scope)]

    def nodes(self) -> list[str]:
        """Return the names of all nodes."""
        return [str(item["metadata"]["name"]) for item in self._get("nodes")]

    def watchers(self, node: str | None = None) -> list[Watcher]:
        """Return the watchers' pods that run, of one node or of all; one for each node, the newest."""
        scope = ["--namespace", self.watcher_namespace] if self.watcher_namespace else ["--all-namespaces"]
        where = ["--field-selector", f"spec.nodeName={node}"] if node else []
        found = self._get("pods", *scope, "--selector", self.watcher_selector, *where)
        running = [item for item in found if item.get("status", {}).get("phase") == "Running"]
        running.sort(key=lambda item: str(item["metadata"].get("creationTimestamp", "")))
        by_node = {
            str(item["spec"].get("nodeName", "")): Watcher(
                namespace=str(item["metadata"]["namespace"]),
                pod=str(item["metadata"]["name"]),
                node=str(item["spec"].get("nodeName", "")),
            )
            for item in running
        }
        return [by_node[name] for name in sorted(by_node)]

    def run(self, watcher: Watcher, *arguments: str) -> Answer:
        """Run ``kube-log-watcher`` in a watcher's pod.

        Raises
        ------
        KubectlFailed
            when it does not answer in time.
        """
        return self._call(
            "exec",
            "--namespace",
            watcher.namespace,
            watcher.pod,
            "--container",
            CONTAINER,
            "--",
            "kube-log-watcher",
            *arguments,
        )

    def _get(self, kind: str, *options: str) -> list[Mapping[str, Any]]:
        answer = self._call("get", kind, *options, "--output", "json")
        if answer.code != 0:
            raise KubectlFailed(answer.error.strip() or f"kubectl get {kind} ended with {answer.code}")
        try:
            items = json.loads(answer.output)["items"]
        except (ValueError, KeyError, TypeError) as error:
            raise KubectlFailed(f"kubectl get {kind} gave no list: {error}") from error
        return list(items)

    def _call(self, *arguments: str) -> Answer:
        verb, *rest = arguments
        try:
            done = subprocess.run(
                ["kubectl", verb, *self.options, *rest],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="backslashreplace",
                timeout=self.seconds,
                check=False,
            )
        except FileNotFoundError:
            raise KubectlFailed("there is no kubectl on the PATH") from None
        except subprocess.TimeoutExpired:
            raise KubectlFailed(f"no answer within {self.seconds:g} s") from None
        return Answer(done.returncode, done.stdout, done.stderr)
