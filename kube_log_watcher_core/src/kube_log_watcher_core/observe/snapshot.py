"""The watcher as it stood at one moment: health, metrics and ``status`` are read from it.

Only its errors may name pods. Health and metrics, which anybody may read, repeat none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from kube_log_watcher_core.agents import AgentStatus
from kube_log_watcher_core.kube import WatchStatus
from kube_log_watcher_core.observe.log_state import LogState
from kube_log_watcher_core.spool import SpoolView


@attrs.frozen(kw_only=True)
class Sources:
    """Where the watcher looks, as its settings have it."""

    node: str | None = None
    api_url: str = ""
    containers_path: str = ""
    settings_files: tuple[Path, ...] = ()
    state_dir: Path | None = None


@attrs.frozen(kw_only=True)
class Snapshot:
    """The whole watcher. All times but `at` are those of one monotonic clock, in seconds."""

    now: float
    at: float = 0.0
    """The same moment in epoch seconds."""
    began: float = 0.0
    loop_due: float = 0.0
    """When the main loop will have done something again at the latest, if it is well."""
    watch: WatchStatus = WatchStatus("starting", since=0.0)
    """The watch of the API; its counts are those of all watches since the start."""
    agents: tuple[AgentStatus, ...] = ()
    targets: int = 0
    draining: int = 0
    """How many logs are gone and still handed to an agent."""
    logs: Mapping[LogState, int] = attrs.field(factory=dict)
    """How many by what becomes of them."""
    skipped: Mapping[str, int] = attrs.field(factory=dict)
    """How many containers by the reason for which they are not followed."""
    passes: Mapping[str, int] = attrs.field(factory=dict)
    """How many by kind."""
    polling_reason: str | None = None
    """Why the node's folders are polled; None while inotify tells of changes."""
    node_trouble: str = ""
    """Why the containers can't be listed; nothing is decided anew while they can't."""
    settings_refusal: str = ""
    """Why the settings on disk can't be used: the next start would fail; empty when they are in use."""
    settings_at: float = 0.0
    """When the settings in use were taken, in epoch seconds."""
    fallbacks: int = 0
    """How often polling began."""
    reloads: Mapping[str, int] = attrs.field(factory=dict)
    """How many by result."""
    spool: SpoolView = attrs.field(factory=SpoolView)
    pod_events: Mapping[str, int] = attrs.field(factory=dict)
    """How many Events on pods by result."""
    sources: Sources = Sources()
    pid: int = 0
    version: str = ""
    python: str = ""
