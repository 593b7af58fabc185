"""All nodes in one table: how each node's watcher is, and which have none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from kube_log_watcher_kubectl.cluster import Cluster, KubectlFailed, Watcher

AT_ONCE = 8
"""So many watchers are asked at the same time."""
HEADINGS = ("NODE", "STATE", "FOLLOWED", "HELD", "WAITING", "DRAINING", "SKIPPED", "PROBLEMS")
STATES = ("followed", "held", "waiting", "draining")
DEGRADED = 1


@dataclass(frozen=True)
class NodeStatus:
    """How one node's watcher is."""

    node: str
    state: str
    """``healthy``, ``degraded``, ``no watcher`` or ``no answer``."""
    counts: Mapping[str, str]
    problems: Sequence[str] = ()


def overview(cluster: Cluster) -> tuple[list[str], int]:
    """Return the table's lines, and the exit code: 0 when all nodes are healthy.

    Nodes that can't be listed, for want of that right, are those on which a watcher runs.
    """
    watchers = {watcher.node: watcher for watcher in cluster.watchers()}
    try:
        nodes, note = cluster.nodes(), []
    except KubectlFailed as error:
        nodes = list(watchers)
        note = ["", f"nodes without a watcher are not known: {error}"]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(
            pool.map(lambda node: _look(cluster, node, watchers.get(node)), sorted({*nodes, *watchers}))
        )
    code = 0 if all(each.state == "healthy" for each in found) else DEGRADED
    return [*_table(found), *_problems(found), *note], code


def _look(cluster: Cluster, node: str, watcher: Watcher | None) -> NodeStatus:
    if watcher is None:
        return NodeStatus(node, "no watcher", {})
    try:
        answer = cluster.run(watcher, "status", "--output", "json")
    except KubectlFailed as error:
        return NodeStatus(node, "no answer", {}, [str(error)])
    try:
        document: Mapping[str, Any] = json.loads(answer.output)
        problems = [str(problem) for problem in document["problems"]]
        counts = {state: str(document.get(state, "")) for state in STATES}
        counts["skipped"] = str(sum(document["skipped"].values()))
    except (ValueError, KeyError, TypeError, AttributeError):
        said = answer.error.strip() or f"exit code {answer.code}"
        return NodeStatus(node, "no answer", {}, [said])
    return NodeStatus(node, "degraded" if problems else "healthy", counts, problems)


def _table(found: Iterable[NodeStatus]) -> list[str]:
    rows: list[tuple[str, ...]] = [HEADINGS]
    for each in found:
        counts = (each.counts.get(state, "-") for state in (*STATES, "skipped"))
        rows.append((each.node, each.state, *counts, str(len(each.problems)) if each.counts else "-"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return ["  ".join(row).rstrip() for row in padded]


def _problems(found: Iterable[NodeStatus]) -> list[str]:
    lines = [f"{each.node}: {_visible(problem)}" for each in found for problem in each.problems]
    return ["", *lines] if lines else []


def _visible(text: str) -> str:
    """Return a text on one line: what comes from a node's log may hold anything."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
