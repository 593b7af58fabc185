"""``status``: the node at a glance, read from a snapshot. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from kube_log_watcher_core.explain.documents import document
from kube_log_watcher_core.observe.health import LIVENESS, READINESS, lacks_of
from kube_log_watcher_core.observe.log_state import LogState
from kube_log_watcher_core.observe.snapshot import Snapshot
from kube_log_watcher_core.spool import SpoolView

MOST_REASONS = 5
"""So many reasons are told: each may name a file."""


def status_of(snapshot: Snapshot) -> dict[str, Any]:
    """Return the whole node at a glance, as a document for JSON; all is well where ``problems`` is empty."""
    sources, watch, now = snapshot.sources, snapshot.watch, snapshot.now
    return document(
        "status",
        {
            "at": snapshot.at,
            "version": snapshot.version,
            "python": snapshot.python,
            "pid": snapshot.pid,
            "uptime_seconds": now - snapshot.began,
            "node": sources.node or watch.node_name or "unknown",
            "problems": list(_problems(snapshot)),
            **{
                state.value: snapshot.logs.get(state, 0)
                for state in LogState
                if state is not LogState.SKIPPED
            },
            "skipped": dict(sorted(snapshot.skipped.items())),  # how many by reason
            "agents": [
                {
                    "name": agent.name,
                    "origin": agent.origin,
                    "state": agent.state,
                    "synced_seconds_ago": None if agent.last_success is None else now - agent.last_success,
                    "busy_seconds": agent.busy_seconds(now),
                    "failures": agent.failures,  # in a row
                    "error": agent.last_error,
                    "obstacle": agent.obstacle,
                    "draining": agent.drains.draining,
                    "bytes_left": agent.drains.bytes_left,
                    "held": len(agent.held),  # logs not shipped, for what their pods ask for
                }
                for agent in snapshot.agents
            ],
            "spool": _spool(snapshot.spool, snapshot.at),  # null without one
            "watch": {
                "state": watch.state,
                "since_seconds": now - watch.since,
                "age_seconds": watch.age_seconds(now),  # since the API last sent something
                "synced": watch.synced,
                "pods": watch.pods,
                "error": watch.error,
                "node_name": watch.node_name,
                "url": sources.api_url,
                "relists": watch.relists,
            },
            "containers_path": sources.containers_path,
            "polling_reason": snapshot.polling_reason,  # null while inotify tells of changes
            "settings_files": sources.settings_files,
            "settings_at": snapshot.settings_at,
            "settings_refusal": snapshot.settings_refusal,  # empty: those on disk are in use
            "state_dir": sources.state_dir,
        },
    )


def _spool(spool: SpoolView, at: float) -> Mapping[str, Any] | None:
    if not spool.folders and not spool.logs:
        return None
    oldest = spool.oldest_unread
    return {
        "folders": spool.folders,
        "logs": len(spool.logs),
        "waiting": spool.waiting,
        "segments": spool.segments,
        "held_bytes": spool.held_bytes,  # by nobody else
        "oldest_unread_seconds": None if oldest is None else max(at - oldest, 0.0),
        "given_up_bytes": spool.given_up_bytes,  # since the start
        "by_path": dict(sorted(Counter(spool.by_path.values()).items())),  # how many by the reason
        "troubles": spool.troubles,
    }


def _spool_problems(spool: SpoolView) -> Iterator[str]:
    if spool.obstacle is not None:
        yield f"the spool waits for {spool.obstacle}: another watcher is at work on it"
    for why, count in Counter(spool.refused.values()).most_common(MOST_REASONS):
        yield f"{count} logs can't be kept in the spool and are followed by their path: {why}"
    for trouble in spool.troubles[:MOST_REASONS]:
        yield f"the newest file of a log can't be kept in the spool: {trouble}"
    if spool.sweep_trouble:
        yield f"segments can't be removed: {spool.sweep_trouble}"


def _problems(snapshot: Snapshot) -> Iterator[str]:
    """Yield what is not as it should be."""
    for lack in (*lacks_of(LIVENESS, snapshot), *lacks_of(READINESS, snapshot)):
        yield lack.text.replace(" (see the log)", "")
    for agent in snapshot.agents:
        if agent.failures:
            yield f"agent {agent.name} failed {agent.failures} times in a row: {agent.last_error}"
        if agent.held:
            logs = "1 log" if len(agent.held) == 1 else f"{len(agent.held)} logs"
            yield f"agent {agent.name} holds {logs}: nothing of them is shipped, `explain` tells why"
    if snapshot.node_trouble:
        yield f"the containers can't be listed, what is configured stays: {snapshot.node_trouble}"
    if snapshot.settings_refusal:
        yield f"the settings on disk can't be used, the next start would fail: {snapshot.settings_refusal}"
    if snapshot.watch.error is not None:
        yield f"the Kubernetes API: {snapshot.watch.error}"
    elif snapshot.watch.asking_singly:
        yield "pods are asked for one by one: list or watch can't be had"
    if snapshot.polling_reason is not None:
        yield f"folders are polled, inotify can't be had: {snapshot.polling_reason}"
    yield from _spool_problems(snapshot.spool)
