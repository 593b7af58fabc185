"""What people are told of one container and of the whole node: plain data, made into JSON here. Pure.

Nothing in it is a secret: of annotations only those for the watcher are in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

VERSION = 1
"""Of the documents: raised when something in them changes its meaning."""


@attrs.frozen(kw_only=True)
class PodReport:
    """What is known of a container's pod, and how it is known."""

    uid: str
    source: str
    """``watch``, ``get``, ``memory`` (the API shows it no more) or ``state-file``."""
    age_seconds: float | None = None
    """How old that may be at most: since the API last sent something, or the file was written."""
    labels: Mapping[str, str] = attrs.field(factory=dict)
    annotations: Mapping[str, str] = attrs.field(factory=dict)
    """Those for the watcher."""
    owner: str | None = None
    node: str = ""
    deleted: float | None = None


@attrs.frozen(kw_only=True)
class WrittenReport:
    """A file or link that an agent has written about a container."""

    path: str
    kind: str
    """``file`` or ``link``."""
    content: str
    """A link's target; of a file what is about the container."""


@attrs.frozen(kw_only=True)
class AgentReport:
    """What one agent does about a container."""

    name: str
    trouble: str | None = None
    """Why what it wrote may be out of date, or can't be told."""
    written: tuple[WrittenReport, ...] = ()
    read_bytes: int | None = None
    """How far its shipper has read, by its own account; None when nobody knows."""
    read_at: float | None = None
    """When the shipper wrote that down, in epoch seconds."""


@attrs.frozen(kw_only=True)
class ContainerReport:
    """The chain of decisions for one container. Times are epoch seconds."""

    namespace: str
    pod_name: str
    container: str
    key: str
    id: str | None = None
    state: str
    """``followed``, ``draining``, ``skipped`` or ``no-log``."""
    layout: str | None = None
    restart_count: int = 0
    log_path: str | None = None
    """As the shipper sees it, for a container that is followed."""
    log_bytes: int | None = None
    first_seen: float | None = None
    created: float | None = None
    reason: str | None = None
    """Why it is not followed."""
    detail: str = ""
    remedy: str = ""
    """What would change that."""
    rules: tuple[str, ...] = ()
    """What it went by when it was taken."""
    pod: PodReport | None = None
    remarks: tuple[str, ...] = ()
    """Annotations of its pod that are ignored, and why."""
    agents: tuple[AgentReport, ...] = ()
    gone_since: float | None = None
    """When its log was found gone from the disk."""


@attrs.frozen(kw_only=True)
class Explanation:
    """All containers that were asked about."""

    source: str
    """``watcher``, or ``offline`` when none runs."""
    at: float
    notes: tuple[str, ...] = ()
    """What must be known about where this comes from."""
    containers: tuple[ContainerReport, ...] = ()
    left_out: int = 0
    """How many more there are."""
    similar: tuple[str, ...] = ()
    """Pods that may have been meant, when nothing was found."""


@attrs.frozen(kw_only=True)
class AgentStatus:
    """How one agent is doing."""

    name: str
    origin: str = ""
    state: str
    """``ok``, ``busy``, ``failing``, ``waiting`` (for a folder) or ``starting``."""
    synced_seconds_ago: float | None = None
    busy_seconds: float | None = None
    failures: int = 0
    error: str | None = None
    obstacle: str | None = None
    draining: int = 0
    bytes_left: int = 0


@attrs.frozen(kw_only=True)
class WatchStatusReport:
    """How the watch of the API is doing."""

    state: str
    since_seconds: float
    age_seconds: float | None = None
    """Since the API last sent something."""
    synced: bool = False
    pods: int = 0
    error: str | None = None
    node_name: str | None = None
    url: str = ""
    relists: int = 0


@attrs.frozen(kw_only=True)
class NodeStatus:
    """The whole node at a glance."""

    at: float
    version: str
    python: str
    pid: int
    uptime_seconds: float
    node: str
    problems: tuple[str, ...] = ()
    """What is not as it should be; nothing when all is well."""
    followed: int = 0
    draining: int = 0
    skipped: Mapping[str, int] = attrs.field(factory=dict)
    """How many by reason."""
    agents: tuple[AgentStatus, ...] = ()
    watch: WatchStatusReport | None = None
    containers_path: str = ""
    polling_reason: str | None = None
    """Why folders are polled; None while inotify tells of changes."""
    settings_files: tuple[str, ...] = ()
    state_dir: str | None = None


def document(kind: str, report: Explanation | NodeStatus) -> dict[str, Any]:
    """Give a report as plain data, with its kind and version."""
    plain = as_plain(report)
    return {"kind": kind, "version": VERSION, **plain}


def as_plain(value: Any) -> Any:
    """Make JSON's kinds of values of any of these."""
    if attrs.has(type(value)):
        return {field.name: as_plain(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if isinstance(value, Mapping):
        return {str(key): as_plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [as_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value
