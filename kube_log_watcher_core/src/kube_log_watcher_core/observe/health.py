"""Whether the watcher lives, and whether it does its job: pure decisions on a snapshot.

The words name agents and the operator's folders, but no pod, and repeat no error of the API or of an
agent: those may name pods, and are in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import attrs

from kube_log_watcher_core.agents import AgentStatus
from kube_log_watcher_core.observe.snapshot import Snapshot

SLACK_SECONDS = 30.0
"""How late a thread may be. A pass over a thousand containers takes a fraction of a second; a node that
is starved of CPU takes longer, and a restart would not help it."""
STALE_SECONDS = 300.0
"""Without a byte for so long, the pods that are known can't be trusted. A living stream brings a bookmark
a minute, and one that stays silent for 130 s is given up and opened anew."""
HANG_SECONDS = 30.0
"""A sync that takes so long is reported as hanging, here as in the log."""


@attrs.frozen
class Lack:
    """One thing that is missing."""

    subject: str
    """One of `LIVENESS` or `READINESS`."""
    text: str


Check = Callable[[Snapshot], Iterator[str]]


def _loop(snapshot: Snapshot) -> Iterator[str]:
    late = snapshot.now - snapshot.loop_due
    if late > SLACK_SECONDS:
        yield f"the main loop has been stuck for {late:.0f} s"


def _watch_thread(snapshot: Snapshot) -> Iterator[str]:
    late = snapshot.now - snapshot.watch.tick_due
    if late > SLACK_SECONDS:
        yield f"the thread that watches the pods has been stuck for {late:.0f} s"


def _pods(snapshot: Snapshot) -> Iterator[str]:
    if not snapshot.watch.synced:
        yield "the pods of this node are not known yet: the Kubernetes API has not listed them (see the log)"


def _watch(snapshot: Snapshot) -> Iterator[str]:
    age = snapshot.now - snapshot.watch.heard_at
    if snapshot.watch.synced and age > STALE_SECONDS and not snapshot.watch.asking_singly:
        yield f"the Kubernetes API has sent nothing for {age:.0f} s (see the log)"


def _lock(snapshot: Snapshot) -> Iterator[str]:
    for agent in snapshot.agents:
        if agent.obstacle is not None:
            yield f"agent {agent.name} waits for {agent.obstacle}: another watcher is at work on it"


def _agents(snapshot: Snapshot) -> Iterator[str]:
    for agent in snapshot.agents:
        if agent.obstacle is None and (trouble := _trouble_of(agent, snapshot.now)):
            yield f"agent {agent.name} {trouble}"


def _trouble_of(agent: AgentStatus, now: float) -> str:
    if agent.busy_since is not None and now - agent.busy_since >= HANG_SECONDS:
        return f"hangs: it has been working on one sync for {now - agent.busy_since:.0f} s"
    if agent.synced:
        return ""
    if agent.failures:
        return "has not synced yet: its syncs fail (see the log)"
    return "has not synced yet"


LIVENESS: dict[str, Check] = {"loop": _loop, "watch-thread": _watch_thread}
READINESS: dict[str, Check] = {"pods": _pods, "watch": _watch, "lock": _lock, "agents": _agents}


def lacks_of(
    checks: dict[str, Check], snapshot: Snapshot, *, excluded: Collection[str] = ()
) -> tuple[Lack, ...]:
    """Return what is missing by these checks, but for those that are excluded by name."""
    return tuple(
        Lack(subject, text)
        for subject, check in checks.items()
        if subject not in excluded
        for text in check(snapshot)
    )
