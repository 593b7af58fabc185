"""The metrics, read as Prometheus reads them."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from documents import ROOT
from http_support import Page, ask, values_of
from kube_log_watcher_core.agents import AgentStatus, Histogram
from kube_log_watcher_core.kube import WatchStatus
from kube_log_watcher_core.models import Reason
from kube_log_watcher_core.observe.http import HttpServer
from kube_log_watcher_core.observe.metrics import FAMILIES, MetricType
from kube_log_watcher_core.observe.pages import watcher_app
from kube_log_watcher_core.observe.snapshot import Snapshot
from kube_log_watcher_core.reconcile import DrainTally
from kube_log_watcher_core.spool import FOLLOWED_BEFORE, Spooled, SpoolView
from kube_log_watcher_core.spool.spooled import Segment

BUSY = Snapshot(
    now=1000.0,
    loop_due=1000.0,
    watch=WatchStatus(
        "watching",
        since=900.0,
        synced=True,
        last_byte=988.0,
        tick_due=1000.0,
        requests={("list", "200"): 2, ("watch", "200"): 7, ("list", "none"): 1},
        relists=1,
    ),
    agents=(
        AgentStatus(
            name="scalyr",
            busy_since=990.0,
            failures=1,
            syncs={"success": 5, "failure": 1},
            sync_seconds=Histogram.empty((0.1, 1.0)).with_new(0.05).with_new(0.1).with_new(30),
            latency_seconds=Histogram.empty((0.1, 1.0)).with_new(0.5),
            drains=DrainTally(draining=2, bytes_left=4096, read=9, given_up=1, bytes_lost=17),
        ),
    ),
    targets=3,
    skipped={Reason.PAUSE.value: 4},
    passes={"full": 2, "partial": 11},
    polling_reason="no inotify",
    fallbacks=1,
    reloads={"success": 1},
    at=2000.0,
    spool=SpoolView(
        folders=(Path("/spool"),),
        logs={
            "a": Spooled("a", Path("/spool"), segments=(Segment(1, 7, closed=1940.0), Segment(2, 8))),
            "b": Spooled("b", Path("/spool"), shown=True, segments=(Segment(1, 9),), trouble="full"),
        },
        by_path={"c": FOLLOWED_BEFORE, "d": "Invalid cross-device link"},
        held_bytes=512,
        given_up_bytes=19,
    ),
    version="1.2.3",
    python="3.13.0",
)
DOCUMENT = ROOT / "docs" / "reference" / "metrics.rst"


def scrape(snapshot: Snapshot, path: str = "/metrics") -> Page:
    server = HttpServer("127.0.0.1", 0)
    server.start(watcher_app(lambda: snapshot))
    try:
        return ask(server.port, path)
    finally:
        server.close()


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("targets", {}, 3),
        ("skipped", {"reason": "pause-container"}, 4),
        ("skipped", {"reason": "label-missing"}, 0),
        ("detection_latency_seconds_count", {"agent": "scalyr"}, 1),
        ("detection_latency_seconds_sum", {"agent": "scalyr"}, 0.5),
        ("detection_latency_seconds_bucket", {"agent": "scalyr", "le": "0.1"}, 0),
        ("detection_latency_seconds_bucket", {"agent": "scalyr", "le": "1.0"}, 1),
        ("passes_total", {"kind": "full"}, 2),
        ("passes_total", {"kind": "partial"}, 11),
        ("agent_syncs_total", {"agent": "scalyr", "result": "success"}, 5),
        ("agent_syncs_total", {"agent": "scalyr", "result": "failure"}, 1),
        ("agent_sync_duration_seconds_bucket", {"agent": "scalyr", "le": "0.1"}, 2),
        ("agent_sync_duration_seconds_bucket", {"agent": "scalyr", "le": "+Inf"}, 3),
        ("agent_consecutive_failures", {"agent": "scalyr"}, 1),
        ("agent_busy_seconds", {"agent": "scalyr"}, 10),
        ("agent_lock_held", {"agent": "scalyr"}, 1),
        ("drains", {"agent": "scalyr"}, 2),
        ("drain_bytes_left", {"agent": "scalyr"}, 4096),
        ("drains_ended_total", {"agent": "scalyr", "result": "read"}, 9),
        ("drains_ended_total", {"agent": "scalyr", "result": "given-up"}, 1),
        ("drain_bytes_lost_total", {"agent": "scalyr"}, 17),
        ("spool_segments", {}, 3),
        ("spool_logs_waiting", {}, 1),
        ("spool_logs_by_path", {}, 2),
        ("spool_logs_failing", {}, 2),
        ("spool_held_bytes", {}, 512),
        ("spool_oldest_unread_seconds", {}, 60),
        ("spool_given_up_bytes_total", {}, 19),
        ("watch_age_seconds", {}, 12),
        ("api_requests_total", {"verb": "list", "code": "200"}, 2),
        ("api_requests_total", {"verb": "list", "code": "none"}, 1),
        ("relists_total", {}, 1),
        ("polling", {}, 1),
        ("polling_fallbacks_total", {}, 1),
        ("reloads_total", {"result": "success"}, 1),
        ("reloads_total", {"result": "failure"}, 0),
        ("build_info", {"version": "1.2.3", "python": "3.13.0"}, 1),
    ],
    ids=str,
)
def test_a_scrape_shows_the_snapshot(name: str, labels: dict[str, str], value: float) -> None:
    assert values_of(scrape(BUSY).text)[name, frozenset(labels.items())] == value


def test_what_counts_events_is_there_before_the_first_one() -> None:
    """A rate over a series that begins with its first event misses that event."""
    values = values_of(scrape(Snapshot(now=0.0, agents=(AgentStatus(name="a"),))).text)
    begun = {name for name, _ in values}
    counters = {
        f.full_name.removeprefix("kube_log_watcher_") for f in FAMILIES if f.kind is MetricType.COUNTER
    }
    assert counters - begun == {"api_requests_total"}
    assert {dict(labels)["reason"] for name, labels in values if name == "skipped"} == {
        r.value for r in Reason
    }


def test_every_metric_has_the_prefix_its_kind_and_a_help_text() -> None:
    families = {family.name: family for family in text_string_to_metric_families(scrape(BUSY).text)}
    assert all(name.startswith("kube_log_watcher_") for name in families)
    for family in FAMILIES:
        found = families[family.full_name.removesuffix("_total")]
        assert (found.type, found.documentation) == (family.kind.value, family.help)


def test_a_scrape_may_ask_for_metrics_by_name() -> None:
    page = scrape(BUSY, "/metrics?name[]=kube_log_watcher_targets")
    assert values_of(page.text) == {("targets", frozenset()): 3}


def test_openmetrics_is_spoken_too() -> None:
    server = HttpServer("127.0.0.1", 0)
    server.start(watcher_app(lambda: BUSY))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    answer = connection.getresponse()
    assert "openmetrics" in answer.headers["Content-Type"]
    families = parse_openmetrics(answer.read().decode())  # type: ignore[no-untyped-call]
    names = [family.name for family in families]
    assert "kube_log_watcher_targets" in names
    connection.close()
    server.close()


def test_no_label_can_hold_the_name_of_a_pod() -> None:
    assert {label for family in FAMILIES for label in family.labels} == {
        "agent",
        "code",
        "kind",
        "python",
        "reason",
        "result",
        "state",
        "verb",
        "version",
    }


def test_the_reference_lists_every_metric_with_its_kind_and_labels_and_no_other() -> None:
    rows = re.findall(
        r"^``(kube_log_watcher_\w+)`` +(\w+) +(.*?)(?:  |$)", DOCUMENT.read_text(), re.MULTILINE
    )
    listed = [(name, kind, tuple(re.findall(r"``(\w+)``", labels))) for name, kind, labels in rows]
    assert listed == [(family.full_name, family.kind.value, family.labels) for family in FAMILIES]


def test_a_histogram_counts_each_duration_in_the_first_bucket_that_holds_it() -> None:
    histogram = Histogram.empty((1.0, 2.0))
    for seconds in (0.5, 1.0, 1.5, 2.0, 99.0):
        histogram = histogram.with_new(seconds)
    assert list(histogram.cumulative()) == [("1.0", 2), ("2.0", 4), ("+Inf", 5)]
    assert histogram.sum == 104.0


@pytest.mark.parametrize("module", ["kube_log_watcher_core.cli", "kube_log_watcher_core.observe.endpoint"])
def test_nobody_pays_for_metrics_who_does_not_ask_for_them(module: str) -> None:
    program = (
        f"import sys, {module}; print([m for m in ('prometheus_client', 'wsgiref') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
