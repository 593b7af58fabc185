"""What health and metrics are told: the watcher as it stood at one moment. Nothing in it names a pod."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from kube_log_watcher_core.observe.histogram import LATENCY_SECONDS, SYNC_SECONDS, Histogram


@attrs.frozen(kw_only=True)
class WatchSnapshot:
    """How the pod watch is doing."""

    synced: bool = False
    """Whether all pods were known at one moment at least."""
    asking_singly: bool = False
    """Whether pods are asked for one by one, where list or watch can't be had: it may be silent for long."""
    last_byte: float = 0.0
    """When the API last sent something; when the watch began, if it never has."""
    tick_due: float = 0.0
    """When its thread will have done something again at the latest, if it is well."""
    requests: Mapping[tuple[str, str], int] = attrs.field(factory=dict)
    """How many by verb and status."""
    relists: int = 0


@attrs.frozen(kw_only=True)
class DrainTally:
    """The gone logs that one agent goes on being handed, and those that it has let go of."""

    draining: int = 0
    bytes_left: int = 0
    """What is known to be unread of those that drain."""
    read: int = 0
    """Ended well: read to the end, or waited for as long as the settings ask."""
    given_up: int = 0
    """Ended with evidence that the shipper had not finished."""
    bytes_lost: int = 0
    """What was known to be unread of those that were given up."""


@attrs.frozen(kw_only=True)
class AgentSnapshot:
    """How one agent is doing."""

    name: str
    obstacle: Path | None = None
    """The folder that another watcher holds; None once the agent has all of its folders to itself."""
    busy_since: float | None = None
    """When the sync that goes on began."""
    synced: bool = False
    """Whether it has ever synced successfully."""
    failures: int = 0
    """Failures in a row."""
    syncs: Mapping[str, int] = attrs.field(factory=dict)
    """How many by result."""
    sync_seconds: Histogram = Histogram.empty(SYNC_SECONDS)
    latency_seconds: Histogram = Histogram.empty(LATENCY_SECONDS)
    drains: DrainTally = DrainTally()


@attrs.frozen(kw_only=True)
class Snapshot:
    """The whole watcher. All times are those of one monotonic clock, in seconds."""

    now: float
    loop_due: float = 0.0
    """When the main loop will have done something again at the latest, if it is well."""
    watch: WatchSnapshot = WatchSnapshot()
    agents: tuple[AgentSnapshot, ...] = ()
    targets: int = 0
    skipped: Mapping[str, int] = attrs.field(factory=dict)
    """How many containers by the reason for which they are not followed."""
    passes: Mapping[str, int] = attrs.field(factory=dict)
    """How many by kind."""
    polling: bool = False
    """Whether the node's folders are polled, because inotify can't be had."""
    fallbacks: int = 0
    """How often polling began."""
    reloads: Mapping[str, int] = attrs.field(factory=dict)
    """How many by result."""
    version: str = ""
    python: str = ""
