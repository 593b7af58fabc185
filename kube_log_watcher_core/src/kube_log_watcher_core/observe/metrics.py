"""All metrics: what each is called, how it is read from a snapshot, and in which room it is counted.

Nothing is counted here, and nothing needs prometheus-client: ``pages`` makes Prometheus' text of it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping

import attrs

from kube_log_watcher_core.agents import AgentStatus, Histogram
from kube_log_watcher_core.models import Reason
from kube_log_watcher_core.observe.log_state import LogState
from kube_log_watcher_core.observe.snapshot import Snapshot

Value = float | Histogram
Samples = Iterable[tuple[tuple[str, ...], Value]]
"""Values by their labels."""


class MetricType(enum.Enum):
    """How a metric counts."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@attrs.frozen
class Family:
    """One metric. A counter is one whose name ends in ``_total``, as Prometheus has it."""

    name: str
    """Without the prefix that all have."""
    help: str
    labels: tuple[str, ...]
    samples: Callable[[Snapshot], Samples]
    is_histogram: bool = False

    @property
    def kind(self) -> MetricType:
        """How it counts."""
        if self.is_histogram:
            return MetricType.HISTOGRAM
        return MetricType.COUNTER if self.name.endswith("_total") else MetricType.GAUGE

    @property
    def full_name(self) -> str:
        """The name that operators see."""
        return f"kube_log_watcher_{self.name}"


def _single(name: str, help: str, value: Callable[[Snapshot], float]) -> Family:
    return Family(name, help, (), lambda now: [((), value(now))])


def _by_word(
    name: str, help: str, label: str, words: Iterable[str], counts: Callable[[Snapshot], Mapping[str, int]]
) -> Family:
    # Each word is there from the start: a series that begins with its first event hides that event.
    words = tuple(words)
    return Family(name, help, (label,), lambda now: [((word,), counts(now).get(word, 0)) for word in words])


def _per_agent(
    name: str, help: str, value: Callable[[AgentStatus], Value], *, is_histogram: bool = False
) -> Family:
    def samples(now: Snapshot) -> Samples:
        return [((agent.name,), value(agent)) for agent in now.agents]

    return Family(name, help, ("agent",), samples, is_histogram)


def _results(name: str, help: str, counts: Callable[[AgentStatus], Mapping[str, int]]) -> Family:
    def samples(now: Snapshot) -> Samples:
        return [((agent.name, word), count) for agent in now.agents for word, count in counts(agent).items()]

    return Family(name, help, ("agent", "result"), samples)


FAMILIES = (
    # Counted in observe/monitor.py, which the daemon tells of each pass and reload.
    _single("targets", "Logs that agents are handed.", lambda now: now.targets),
    _by_word(
        "logs",
        "Logs on the node, by what becomes of them.",
        "state",
        (state.value for state in LogState),
        lambda now: {state.value: count for state, count in now.logs.items()},
    ),
    _by_word(
        "skipped",
        "Containers that are not followed, by the reason.",
        "reason",
        (reason.value for reason in Reason),
        lambda now: now.skipped,
    ),
    _by_word(
        "passes_total",
        "Passes over the node: full ones list everything afresh.",
        "kind",
        ("full", "partial"),
        lambda now: now.passes,
    ),
    _single(
        "polling", "1 while folders are polled, without inotify.", lambda now: now.polling_reason is not None
    ),
    _single("polling_fallbacks_total", "Times that began.", lambda now: now.fallbacks),
    _by_word(
        "reloads_total",
        "Times that settings were read again.",
        "result",
        ("success", "failure"),
        lambda now: now.reloads,
    ),
    _single(
        "settings_refused",
        "1 while the settings on disk can't be used: the next start would fail.",
        lambda now: bool(now.settings_refusal),
    ),
    _single(
        "settings_timestamp_seconds",
        "When the settings in use were taken, in seconds since the epoch.",
        lambda now: now.settings_at,
    ),
    _single(
        "node_unreadable",
        "1 while the containers can't be listed, and nothing is decided anew.",
        lambda now: bool(now.node_trouble),
    ),
    Family(
        "build_info",
        "Always 1: the watcher's version, and Python's.",
        ("version", "python"),
        lambda now: [((now.version, now.python), 1)],
    ),
    # Counted in agents/sync_stats.py; what goes on and fails, in agents/worker.py.
    _per_agent(
        "detection_latency_seconds",
        "From the wake-up whose pass lists a new log to the agent's successful sync of it.",
        lambda agent: agent.latency_seconds,
        is_histogram=True,
    ),
    _results(
        "agent_syncs_total",
        "Syncs by their result.",
        lambda agent: {"success": 0, "failure": 0, **agent.syncs},
    ),
    _per_agent(
        "agent_sync_duration_seconds",
        "How long syncs took, failed ones too.",
        lambda agent: agent.sync_seconds,
        is_histogram=True,
    ),
    _per_agent(
        "agent_consecutive_failures", "Failures since the last success.", lambda agent: agent.failures
    ),
    Family(
        "agent_busy_seconds",
        "Age of the sync that goes on; 0 when idle.",
        ("agent",),
        lambda now: [((agent.name,), agent.busy_seconds(now.now) or 0.0) for agent in now.agents],
    ),
    _per_agent(
        "agent_held_logs",
        "Logs that the agent does not have shipped, for what their pods ask for.",
        lambda agent: len(agent.held),
    ),
    _per_agent(
        "agent_lock_held",
        "1 when the agent has its folders to itself, 0 while another watcher holds one.",
        lambda agent: agent.obstacle is None,
    ),
    # Counted by AgentDrain in reconcile/.
    _per_agent(
        "drains", "Gone logs that the agent goes on being handed.", lambda agent: agent.drains.draining
    ),
    _per_agent(
        "drain_bytes_left",
        "Bytes of these that are known to be unread.",
        lambda agent: agent.drains.bytes_left,
    ),
    _results(
        "drains_ended_total",
        "Drains that ended.",
        lambda agent: {"read": agent.drains.read, "given-up": agent.drains.given_up},
    ),
    _per_agent(
        "drain_bytes_lost_total",
        "Bytes known to be unread when drains were given up.",
        lambda agent: agent.drains.bytes_lost,
    ),
    # Counted in loop/spooling.py, from what spool/ keeps and removes.
    _single("spool_segments", "Files of logs that the spool keeps.", lambda now: now.spool.segments),
    _single(
        "spool_logs_waiting",
        "Logs that are kept where shippers don't see them yet.",
        lambda now: now.spool.waiting,
    ),
    _single(
        "spool_logs_by_path",
        "Logs that are followed by their path although there is a spool.",
        lambda now: len(now.spool.by_path),
    ),
    _single(
        "spool_logs_failing",
        "Logs whose newest file can't be linked, or that can't be kept at all.",
        lambda now: len(now.spool.refused) + sum(bool(log.trouble) for log in now.spool.logs.values()),
    ),
    _single("spool_held_bytes", "Bytes that only the spool still holds.", lambda now: now.spool.held_bytes),
    _single(
        "spool_oldest_unread_seconds",
        "Since the oldest segment was closed that not every shipper has read; 0 without any.",
        lambda now: 0.0 if now.spool.oldest_unread is None else max(now.at - now.spool.oldest_unread, 0.0),
    ),
    _single(
        "spool_given_up_bytes_total",
        "Bytes that had to go unread: the spool was full, or no pod showed for them in time.",
        lambda now: now.spool.given_up_bytes,
    ),
    # Counted in kube/status.py, which the thread of the watch tells.
    _single(
        "watch_age_seconds",
        "Since the Kubernetes API last sent something.",
        lambda now: now.now - now.watch.heard_at,
    ),
    Family(
        "api_requests_total",
        "Requests to the Kubernetes API.",
        ("verb", "code"),
        lambda now: list(now.watch.requests.items()),
    ),
    _single("relists_total", "Lists of pods after the first one.", lambda now: now.watch.relists),
    # Counted in kube/pod_events.py.
    _by_word(
        "pod_events_total",
        "Events on pods that were sent, or could not be.",
        "result",
        ("sent", "failed"),
        lambda now: now.pod_events,
    ),
)
