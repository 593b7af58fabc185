"""What the API server is asked for, and what a large cluster costs it by these figures."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import attrs

from benchmarks.churn.report import table
from benchmarks.cost.figures import Figure, number
from benchmarks.cost.plan import Plan
from benchmarks.cost.relay import Relay
from benchmarks.cost.stage import Stage
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_api import FakeApi

PODS_PER_NODE = 110
NODES = 5_000
GET_SECONDS = 60.0
"""The original asks once for each container in so many seconds; a container per pod is counted."""
EVENTS_PER_REPLACED_POD = 12
"""An assumption: as many as a real server's watch showed of one pod from its coming to its end."""
UPDATE_SECONDS = 1800.0
"""A rolling update of all pods that takes half an hour."""
NEVER_SECONDS = 3600.0


@attrs.frozen
class ApiCost:
    """What one watcher with 110 pods was measured to ask for."""

    lists: int
    watches: int
    gets: int
    start_bytes: int
    idle_bytes_a_minute: float
    event_bytes: float
    get_bytes: float
    """What one GET of one pod comes to, with its headers: what the original does."""


def measure(plan: Plan, folder: Path) -> tuple[ApiCost, list[Figure]]:
    """Measure a node of 110 pods behind a relay that counts bytes."""
    with (
        FakeApi(bookmark_seconds=NEVER_SECONDS) as api,
        Relay(api.url) as relay,
        Stage(folder / "api", Layout.CRI, PODS_PER_NODE, plan=plan, url=relay.url, api=api) as stage,
    ):
        cost = attrs.evolve(_watch(stage, relay, plan), get_bytes=_one_get(stage))
        whole = sum(len(json.dumps(each)) for each in _pods(stage))
    return cost, list(_figures(cost, whole))


def _watch(stage: Stage, relay: Relay, plan: Plan) -> ApiCost:
    stage.started()
    at_start = relay.received + relay.sent
    counted = {verb: stage.api.count(verb) for verb in ("list", "watch", "get")}
    time.sleep(plan.idle_seconds)
    idle = (relay.received + relay.sent - at_start) * 60 / plan.idle_seconds
    idle += _bookmark(stage, relay)
    before = relay.received + relay.sent
    for event in range(plan.pod_events):
        each = stage.containers[event % len(stage.containers)]
        stage.api.relabel(each.namespace, each.pod, version=f"v{event}")
    _wait_version(stage, plan.pod_events - 1)
    stage.settle()
    after = {verb: stage.api.count(verb) for verb in counted}
    if after != counted:
        raise RuntimeError(f"events made requests: {counted} before them, {after} after")
    return ApiCost(
        lists=after["list"],
        watches=after["watch"],
        gets=after["get"],
        start_bytes=at_start,
        idle_bytes_a_minute=idle,
        event_bytes=(relay.received + relay.sent - before) / plan.pod_events,
        get_bytes=0.0,
    )


def _bookmark(stage: Stage, relay: Relay) -> float:
    """Return the bytes of a bookmark; a server sends one a minute."""
    before = relay.received
    stage.api.bookmark()
    stage.settle()
    return float(relay.received - before)


def _wait_version(stage: Stage, event: int) -> None:
    job = stage.shelf.job(stage.containers[event % len(stage.containers)].id)
    deadline = time.monotonic() + 30
    while f'"v{event}"' not in job.read_text(encoding="utf-8"):
        if time.monotonic() > deadline:
            raise TimeoutError("an event had no effect")
        time.sleep(0.01)


def _pods(stage: Stage) -> list[object]:
    return [stage.api.get(each.namespace, each.pod) for each in stage.containers]


def _one_get(stage: Stage) -> float:
    """Return the bytes of one GET, on a connection of its own, as a client without a session has."""
    import requests  # noqa: PLC0415 - this alone needs it

    with Relay(stage.api.url) as relay:
        first = stage.containers[0]
        requests.get(f"{relay.url}/api/v1/namespaces/{first.namespace}/pods/{first.pod}", timeout=10)
        return float(relay.sent + relay.received)


def _figures(cost: ApiCost, whole: int) -> Iterator[Figure]:
    group, gets = f"API, a node of {PODS_PER_NODE} pods", "the original: one GET per container and minute"
    yield Figure(group, "start: list requests", cost.lists, "requests", PODS_PER_NODE, gets, 1.0)
    yield Figure(group, "start and ever after: watch requests", cost.watches, "requests", None, "", 1.0)
    yield Figure(group, "start and ever after: GET requests", cost.gets, "requests", PODS_PER_NODE, gets, 0.0)
    yield Figure(group, "start: bytes on the wire", cost.start_bytes, "bytes", whole, "the pods as JSON")
    yield Figure(
        group,
        "steady: bytes a minute, a bookmark among them",
        cost.idle_bytes_a_minute,
        "bytes",
        cost.get_bytes * PODS_PER_NODE * 60 / GET_SECONDS,
        gets,
    )
    yield Figure(group, "a pod event: requests", 0.0, "requests", None, "", 0.0)
    yield Figure(
        group, "a pod event: bytes", cost.event_bytes, "bytes", whole / PODS_PER_NODE, "the pod as JSON"
    )


# ---------------------------------------------------------------------- a large cluster


def cluster(cost: ApiCost) -> list[tuple[str, float, float]]:
    """Compute what a cluster costs its API server: what, this watcher, the original."""
    pods = NODES * PODS_PER_NODE
    polls = pods / GET_SECONDS
    events = pods * EVENTS_PER_REPLACED_POD
    return [
        ("requests at the start of all watchers", NODES * 2.0, float(pods)),
        ("MB at the start of all watchers", NODES * cost.start_bytes / 1e6, pods * cost.get_bytes / 1e6),
        ("requests a second in steady state", NODES / 450, polls),
        (
            "MB a second in steady state",
            NODES * cost.idle_bytes_a_minute / 60 / 1e6,
            polls * cost.get_bytes / 1e6,
        ),
        (f"requests in a rolling update of {UPDATE_SECONDS / 60:.0f} min", 0.0, polls * UPDATE_SECONDS),
        (
            f"MB in a rolling update of {UPDATE_SECONDS / 60:.0f} min",
            events * cost.event_bytes / 1e6,
            polls * UPDATE_SECONDS * cost.get_bytes / 1e6,
        ),
    ]


def as_table(cost: ApiCost) -> str:
    """Lay out the table for a cluster."""
    head = (f"{NODES:,} nodes of {PODS_PER_NODE} pods", "this watcher", "the original")
    return table(head, [(what, number(own), number(other)) for what, own, other in cluster(cost)])
