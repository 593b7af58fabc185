"""All metrics: what each is called, how it is read from a snapshot, and in which room it is counted.

Nothing is counted here, and nothing needs prometheus-client: ``pages`` makes Prometheus' text of it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping

import attrs

from kube_log_watcher_core.agents import AgentStatus, Histogram
from kube_log_watcher_core.models import Reason
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
    """One metric."""

    name: str
    """Without the prefix that all have."""
    kind: MetricType
    help: str
    labels: tuple[str, ...]
    samples: Callable[[Snapshot], Samples]

    @property
    def full_name(self) -> str:
        """The name that operators see."""
        return f"kube_log_watcher_{self.name}"


def _one(value: Callable[[Snapshot], float]) -> Callable[[Snapshot], Samples]:
    return lambda snapshot: [((), value(snapshot))]


def _per_agent(value: Callable[[AgentStatus], Value]) -> Callable[[Snapshot], Samples]:
    return lambda snapshot: [((agent.name,), value(agent)) for agent in snapshot.agents]


def _by_words(*words: str, counts: Callable[[Snapshot], Mapping[str, int]]) -> Callable[[Snapshot], Samples]:
    # Each word is there from the start: a series that begins with its first event hides that event.
    return lambda snapshot: [((word,), counts(snapshot).get(word, 0)) for word in words]


def _results(
    *words: str, counts: Callable[[AgentStatus], Mapping[str, int]]
) -> Callable[[Snapshot], Samples]:
    return lambda snapshot: [
        ((agent.name, word), counts(agent).get(word, 0)) for agent in snapshot.agents for word in words
    ]


_COUNTER, _GAUGE, _HISTOGRAM = MetricType.COUNTER, MetricType.GAUGE, MetricType.HISTOGRAM

FAMILIES = (
    # Counted in observe/monitor.py, which the daemon tells of each pass and reload.
    Family("targets", _GAUGE, "Logs that are followed.", (), _one(lambda now: now.targets)),
    Family(
        "skipped",
        _GAUGE,
        "Containers that are not followed, by the reason.",
        ("reason",),
        _by_words(*(reason.value for reason in Reason), counts=lambda now: now.skipped),
    ),
    Family(
        "passes_total",
        _COUNTER,
        "Passes over the node: full ones list everything afresh.",
        ("kind",),
        _by_words("full", "partial", counts=lambda now: now.passes),
    ),
    Family(
        "polling",
        _GAUGE,
        "1 while folders are polled, without inotify.",
        (),
        _one(lambda now: now.polling_reason is not None),
    ),
    Family("polling_fallbacks_total", _COUNTER, "Times that began.", (), _one(lambda now: now.fallbacks)),
    Family(
        "reloads_total",
        _COUNTER,
        "Times that settings were read again.",
        ("result",),
        _by_words("success", "failure", counts=lambda now: now.reloads),
    ),
    Family(
        "build_info",
        _GAUGE,
        "Always 1: the watcher's version, and Python's.",
        ("version", "python"),
        lambda now: [((now.version, now.python), 1)],
    ),
    # Counted in agents/sync_stats.py; what goes on and fails, in agents/worker.py.
    Family(
        "detection_latency_seconds",
        _HISTOGRAM,
        "From the wake-up whose pass lists a new log to the agent's successful sync of it.",
        ("agent",),
        _per_agent(lambda agent: agent.latency_seconds),
    ),
    Family(
        "agent_syncs_total",
        _COUNTER,
        "Syncs by their result.",
        ("agent", "result"),
        _results("success", "failure", counts=lambda agent: agent.syncs),
    ),
    Family(
        "agent_sync_duration_seconds",
        _HISTOGRAM,
        "How long syncs took, failed ones too.",
        ("agent",),
        _per_agent(lambda agent: agent.sync_seconds),
    ),
    Family(
        "agent_consecutive_failures",
        _GAUGE,
        "Failures since the last success.",
        ("agent",),
        _per_agent(lambda agent: agent.failures),
    ),
    Family(
        "agent_busy_seconds",
        _GAUGE,
        "Age of the sync that goes on; 0 when idle.",
        ("agent",),
        lambda now: [((agent.name,), agent.busy_seconds(now.now) or 0.0) for agent in now.agents],
    ),
    Family(
        "agent_lock_held",
        _GAUGE,
        "1 when the agent has its folders to itself, 0 while another watcher holds one.",
        ("agent",),
        _per_agent(lambda agent: agent.obstacle is None),
    ),
    # Counted by AgentDrain in reconcile/.
    Family(
        "drains",
        _GAUGE,
        "Gone logs that the agent goes on being handed.",
        ("agent",),
        _per_agent(lambda agent: agent.drains.draining),
    ),
    Family(
        "drain_bytes_left",
        _GAUGE,
        "Bytes of these that are known to be unread.",
        ("agent",),
        _per_agent(lambda agent: agent.drains.bytes_left),
    ),
    Family(
        "drains_ended_total",
        _COUNTER,
        "Drains that ended.",
        ("agent", "result"),
        _results(
            "read",
            "given-up",
            counts=lambda agent: {"read": agent.drains.read, "given-up": agent.drains.given_up},
        ),
    ),
    Family(
        "drain_bytes_lost_total",
        _COUNTER,
        "Bytes known to be unread when drains were given up.",
        ("agent",),
        _per_agent(lambda agent: agent.drains.bytes_lost),
    ),
    # Counted in loop/spooling.py, from what spool/ keeps and removes.
    Family(
        "spool_segments",
        _GAUGE,
        "Files of logs that the spool keeps.",
        (),
        _one(lambda now: now.spool.segments),
    ),
    Family(
        "spool_logs_waiting",
        _GAUGE,
        "Logs that are kept where shippers don't see them yet.",
        (),
        _one(lambda now: now.spool.waiting),
    ),
    Family(
        "spool_logs_by_path",
        _GAUGE,
        "Logs that are followed by their path although there is a spool.",
        (),
        _one(lambda now: len(now.spool.by_path)),
    ),
    Family(
        "spool_logs_failing",
        _GAUGE,
        "Logs whose newest file can't be linked, or that can't be kept at all.",
        (),
        _one(lambda now: len(now.spool.refused) + sum(bool(log.trouble) for log in now.spool.logs.values())),
    ),
    Family(
        "spool_held_bytes",
        _GAUGE,
        "Bytes that only the spool still holds.",
        (),
        _one(lambda now: now.spool.held_bytes),
    ),
    Family(
        "spool_oldest_unread_seconds",
        _GAUGE,
        "Since the oldest segment was closed that not every shipper has read; 0 without any.",
        (),
        _one(
            lambda now: 0.0 if now.spool.oldest_unread is None else max(now.at - now.spool.oldest_unread, 0.0)
        ),
    ),
    Family(
        "spool_given_up_bytes_total",
        _COUNTER,
        "Bytes that had to go unread because the spool was full.",
        (),
        _one(lambda now: now.spool.given_up_bytes),
    ),
    # Counted in kube/status.py, which the thread of the watch tells.
    Family(
        "watch_age_seconds",
        _GAUGE,
        "Since the Kubernetes API last sent something.",
        (),
        _one(lambda snapshot: snapshot.now - snapshot.watch.heard_at),
    ),
    Family(
        "api_requests_total",
        _COUNTER,
        "Requests to the Kubernetes API.",
        ("verb", "code"),
        lambda snapshot: list(snapshot.watch.requests.items()),
    ),
    Family(
        "relists_total",
        _COUNTER,
        "Lists of pods after the first one.",
        (),
        _one(lambda now: now.watch.relists),
    ),
)
