"""What people are told of containers: plain data, made into JSON here. Pure.

Nothing in it is a secret: of annotations only those for the watcher are in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from kube_log_watcher_core.agents import AgentReport

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
class SegmentReport:
    """One of the files that a log has had, as the spool keeps it."""

    number: int
    path: str
    """As the watcher sees it."""
    bytes: int | None = None
    """Its size; None when it can't be looked at."""
    closed: float | None = None
    """When the log went on to another file, or ended, in epoch seconds; None while it is written to."""
    is_held_alone: bool = False
    """Whether only the spool still holds it."""


@attrs.frozen(kw_only=True)
class SpoolReport:
    """What the spool has of a log."""

    state: str
    """``shown``, ``waiting`` (shippers don't see it yet) or ``by-path`` (its real path is followed)."""
    detail: str = ""
    """Why its path is followed."""
    waits_for: tuple[str, ...] = ()
    """Agents whose shippers must not see it yet; none while it waits for what ``reason`` says."""
    trouble: str = ""
    """Why its newest file has no link yet."""
    segments: tuple[SegmentReport, ...] = ()
    """Oldest first."""
    left_out: int = 0
    """How many more there are, in the middle."""


@attrs.frozen(kw_only=True)
class ContainerReport:
    """The chain of decisions for one container. Times are epoch seconds."""

    namespace: str
    pod_name: str
    container: str
    key: str
    id: str | None = None
    state: str
    """As `LogState` has it; ``gone`` for one that has left the node, ``no-log`` for a pod without any."""
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
    spool: SpoolReport | None = None
    """None without a spool."""
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


def document(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document, in JSON's kinds of values, with its kind and version."""
    return {"kind": kind, "version": VERSION, **as_plain(content)}


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as a document."""
    return document("explanation", as_plain(explanation))


def as_plain(value: Any) -> Any:
    """Return a value in JSON's kinds of values."""
    if attrs.has(type(value)):
        return {field.name: as_plain(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if isinstance(value, Mapping):
        return {str(key): as_plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [as_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value
