"""How the node's status and chains of decisions look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from kube_log_watcher_core.agents import AgentReport, AgentStatus
from kube_log_watcher_core.agents.answers import SegmentReading
from kube_log_watcher_core.cli.explain import chain
from kube_log_watcher_core.cli.output import Table, ago, plain
from kube_log_watcher_core.cli.status import lines_of
from kube_log_watcher_core.explain.documents import ContainerReport, SegmentReport, SpoolReport, as_plain
from kube_log_watcher_core.explain.status import status_of
from kube_log_watcher_core.kube import WatchStatus
from kube_log_watcher_core.observe import Snapshot
from kube_log_watcher_core.observe.snapshot import Sources
from kube_log_watcher_core.reconcile import DrainTally
from kube_log_watcher_core.spool import FOLLOWED_BEFORE, Spooled, SpoolView
from kube_log_watcher_core.spool.spooled import Segment

NOW = 1000.0
HEALTHY = Snapshot(
    now=NOW,
    began=NOW - 90,
    loop_due=NOW,
    watch=WatchStatus("watching", since=NOW - 90, synced=True, last_byte=NOW, tick_due=NOW),
    sources=Sources(node="node-1"),
    pid=7,
    version="1.0",
)


def lines(**fields: Any) -> list[str]:
    return list(lines_of(status_of(attrs.evolve(HEALTHY, **fields))))


def test_all_is_well() -> None:
    assert lines()[0] == "healthy: node node-1: kube-log-watcher 1.0, up for 90 s, process 7"


def test_problems_come_first() -> None:
    shown = lines(agents=[AgentStatus(name="one", last_success=1.0, failures=3, last_error="full")])
    assert shown[0].startswith("degraded: ")
    assert shown[1] == "problem: agent one failed 3 times in a row: full"


def test_agents_are_told_with_what_hinders_them() -> None:
    agents = (
        AgentStatus(name="one", last_error="the disk\nis full", failures=3, last_success=NOW - 400),
        AgentStatus(name="two", obstacle=Path("/folder")),
        AgentStatus(name="three", busy_since=NOW - 31, drains=DrainTally(draining=2, bytes_left=10)),
    )
    shown = [" ".join(line.split()) for line in lines(agents=agents)]
    assert "one failing 7 min ago - the disk is full" in shown
    assert "two waiting never - /folder" in shown
    assert "three busy never 2 (10 bytes left) at work for 31 s" in shown


def test_the_api_and_the_folders_are_told() -> None:
    watch = WatchStatus("backing off", since=NOW - 1, error="refused", pods=3)
    sources = Sources(api_url="http://x", containers_path="/logs")
    shown = " ".join(" ".join(lines(watch=watch, polling_reason="EMFILE", sources=sources)).split())
    assert "Kubernetes API backing off http://x, 3 pods, nothing heard yet, refused" in shown
    assert "folders polling /logs, EMFILE" in shown


SPOOL = Path("/spool")
KEPT = Spooled("a", SPOOL, segments=(Segment(1, 7, closed=NOW - 60), Segment(2, 8)))


def test_without_a_spool_nothing_is_told_of_one() -> None:
    assert "SPOOL" not in " ".join(lines())


def test_what_the_spool_keeps_is_told() -> None:
    spool = SpoolView(
        folders=(SPOOL,),
        logs={"a": KEPT},
        by_path={"b": FOLLOWED_BEFORE},
        held_bytes=512,
        given_up_bytes=19,
    )
    shown = [" ".join(line.split()) for line in lines(spool=spool, at=NOW)]
    assert shown[0].startswith("healthy: ")
    assert "segments 2 the oldest unread for 60 s" in shown
    assert "bytes held by nobody else 512 -" in shown
    assert "not shown yet 1 `kube-log-watcher explain` tells for whom" in shown
    assert "bytes given up unread 19 since the watcher began" in shown
    assert f"followed by their path 1 {FOLLOWED_BEFORE}" in shown


def test_a_spool_that_fails_is_a_problem() -> None:
    spool = SpoolView(
        folders=(SPOOL,),
        logs={"a": attrs.evolve(KEPT, trouble="No space left on device")},
        by_path={"b": "Invalid cross-device link"},
        sweep_trouble="/spool/a: Read-only file system",
        obstacle=SPOOL,
    )
    headline, *problems = lines(spool=spool)[:5]
    assert headline.startswith("degraded: ")
    refused = "1 logs can't be kept in the spool and are followed by their path: Invalid cross-device link"
    assert problems == [
        "problem: the spool waits for /spool: another watcher is at work on it",
        f"problem: {refused}",
        "problem: the newest file of a log can't be kept in the spool: No space left on device",
        "problem: segments can't be removed: /spool/a: Read-only file system",
    ]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, ""),
        (-5.0, "0 s"),
        (0.4, "0 s"),
        (119.0, "119 s"),
        (120.0, "2 min"),
        (7200.0, "2 h"),
        (2e5, "2 d"),
    ],
)
def test_spans_of_time_have_one_unit(seconds: float | None, shown: str) -> None:
    assert ago(seconds) == shown


def test_columns_are_aligned_and_an_empty_cell_is_a_dash() -> None:
    assert list(plain(Table(("A", "B"), [("long", ""), ("x", "y\x1b")]))) == [
        "A     B",
        "long  -",
        "x     y\\x1b",
    ]


def report(**fields: Any) -> dict[str, Any]:
    given = {
        "namespace": "default",
        "pod_name": "shop-1",
        "container": "main",
        "key": "k",
        "state": "followed",
    }
    plain: dict[str, Any] = as_plain(ContainerReport(**{**given, **fields}))
    return plain


def test_how_far_a_shipper_has_read_is_told() -> None:
    agent = AgentReport(name="one", read_bytes=10, read_at=90.0)
    shown = "\n".join(chain(report(agents=(agent,), log_bytes=30), at=100.0, wide=False))
    assert "agent one  its shipper has read 10 of 30 bytes, as it said 10 s ago" in shown
    assert "has written nothing about it" in shown


def test_a_time_beyond_all_calendars_is_left_out() -> None:
    shown = "\n".join(chain(report(created=1e30), at=100.0, wide=False))
    assert "made" not in shown


def test_ignored_annotations_are_told() -> None:
    shown = "\n".join(chain(report(remarks=("a/exclude: 'maybe' is neither",)), at=0.0, wide=False))
    assert "  ignored   a/exclude: 'maybe' is neither" in shown.splitlines()


def test_segments_are_told_with_who_has_read_how_much() -> None:
    segments = (
        SegmentReport(number=1, path="/spool/a.1.log", bytes=30, closed=40.0, is_held_alone=True),
        SegmentReport(number=2, path="/spool/a.2.log", bytes=5),
    )
    agents = (AgentReport(name="one", segments=(SegmentReading(number=1, read_bytes=10, read_at=90.0),)),)
    told = report(spool=SpoolReport(state="shown", segments=segments, trouble="full"), agents=agents)
    shown = "\n".join(chain(told, at=100.0, wide=False))
    assert "2 segments, 35 bytes" in shown
    closed = "/spool/a.1.log, 30 bytes, closed 60 s ago, held by the spool alone"
    assert f"{closed}, one has read 10, as it said 10 s ago" in shown
    assert "/spool/a.2.log, 5 bytes, being written" in shown
    assert "its newest file can't be kept yet: full" in shown
