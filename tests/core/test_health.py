"""Whether the watcher lives and does its job: decided on a snapshot alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from kube_log_watcher_core.agents import AgentStatus
from kube_log_watcher_core.kube import WatchStatus
from kube_log_watcher_core.observe.health import (
    HANG_SECONDS,
    LIVENESS,
    READINESS,
    SLACK_SECONDS,
    STALE_SECONDS,
    lacks_of,
)
from kube_log_watcher_core.observe.snapshot import Snapshot

NOW = 10_000.0
WELL = Snapshot(
    now=NOW,
    loop_due=NOW + 30,
    watch=WatchStatus("watching", since=0.0, synced=True, last_byte=NOW - 40, tick_due=NOW + 90),
    agents=(AgentStatus(name="one", last_success=1.0), AgentStatus(name="two", last_success=1.0)),
)


def watch(**changes: Any) -> Snapshot:
    return attrs.evolve(WELL, watch=attrs.evolve(WELL.watch, **changes))


def agent(**changes: Any) -> Snapshot:
    return attrs.evolve(WELL, agents=(WELL.agents[0], attrs.evolve(WELL.agents[1], **changes)))


def missing(snapshot: Snapshot, *excluded: str) -> list[str]:
    return [lack.subject for lack in lacks_of(READINESS, snapshot, excluded=excluded)]


@pytest.mark.parametrize(
    ("snapshot", "stuck"),
    [
        (WELL, []),
        (attrs.evolve(WELL, loop_due=NOW - SLACK_SECONDS), []),
        (attrs.evolve(WELL, loop_due=NOW - SLACK_SECONDS - 1), ["loop"]),
        (watch(tick_due=NOW - SLACK_SECONDS), []),
        (watch(tick_due=NOW - SLACK_SECONDS - 1), ["watch-thread"]),
        (attrs.evolve(watch(tick_due=0.0), loop_due=0.0), ["loop", "watch-thread"]),
        (watch(synced=False, last_byte=0.0), []),
        (agent(busy_since=0.0, last_success=None), []),
        (agent(obstacle=Path("/mnt/jobs"), last_success=None), []),
    ],
    ids=[
        "well",
        "loop-late",
        "loop-stuck",
        "watch-late",
        "watch-stuck",
        "both-stuck",
        "api-away-for-hours",
        "agent-hangs",
        "lock-awaited",
    ],
)
def test_only_a_thread_that_is_stuck_is_worth_a_restart(snapshot: Snapshot, stuck: list[str]) -> None:
    assert [lack.subject for lack in lacks_of(LIVENESS, snapshot)] == stuck


@pytest.mark.parametrize(
    ("snapshot", "lacking"),
    [
        (WELL, []),
        (watch(synced=False), ["pods"]),
        (watch(synced=False, last_byte=0.0), ["pods"]),
        (watch(last_byte=NOW - STALE_SECONDS), []),
        (watch(last_byte=NOW - STALE_SECONDS - 1), ["watch"]),
        (watch(last_byte=0.0, state="fallback"), []),
        (agent(last_success=None), ["agents"]),
        (agent(last_success=None, failures=3), ["agents"]),
        (agent(failures=3), []),
        (agent(busy_since=NOW - HANG_SECONDS + 1), []),
        (agent(busy_since=NOW - HANG_SECONDS), ["agents"]),
        (agent(last_success=None, obstacle=Path("/mnt/jobs")), ["lock"]),
        (agent(obstacle=Path("/mnt/jobs")), ["lock"]),
        (attrs.evolve(WELL, agents=()), []),
        (attrs.evolve(WELL, loop_due=0.0), []),
    ],
    ids=[
        "well",
        "no-list-yet",
        "no-byte-ever",
        "quiet",
        "stale",
        "nothing-to-ask",
        "never-synced",
        "always-failed",
        "fails-again",
        "slow",
        "hangs",
        "lock-awaited",
        "lock-lost",
        "no-agents",
        "liveness-is-no-matter-here",
    ],
)
def test_it_is_ready_when_nothing_keeps_it_from_its_job(snapshot: Snapshot, lacking: list[str]) -> None:
    assert missing(snapshot) == lacking


def test_what_is_missing_is_told_in_plain_words_all_of_it() -> None:
    snapshot = attrs.evolve(
        watch(last_byte=NOW - 720),
        agents=(
            AgentStatus(name="a", last_success=1.0, busy_since=NOW - 95),
            AgentStatus(name="b", obstacle=Path("/mnt/jobs")),
            AgentStatus(name="c", failures=2),
            AgentStatus(name="d"),
        ),
    )
    assert [lack.text for lack in lacks_of(READINESS, snapshot)] == [
        "the Kubernetes API has sent nothing for 720 s (see the log)",
        "agent b waits for /mnt/jobs: another watcher is at work on it",
        "agent a hangs: it has been working on one sync for 95 s",
        "agent c has not synced yet: its syncs fail (see the log)",
        "agent d has not synced yet",
    ]


def test_what_is_excluded_by_name_does_not_count() -> None:
    waiting = agent(last_success=None, obstacle=Path("/mnt/jobs"))
    assert missing(waiting, "lock") == []
    assert missing(attrs.evolve(waiting, watch=WatchStatus("starting", since=0.0)), "lock") == ["pods"]
