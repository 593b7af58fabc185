"""No log line is lost, doubled or mislabelled while everything on two nodes changes: the short form."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.churn.events import Kind
from benchmarks.churn.pace import QUICK
from benchmarks.churn.report import of_findings
from benchmarks.churn.run import Plan, churn
from benchmarks.churn.shippers.scalyr import Scalyr

from kube_log_watcher_core import Layout

SECONDS = 45.0
SEED = 1

pytestmark = [
    pytest.mark.scalyr,
    pytest.mark.xdist_group("churn"),
    pytest.mark.skipif(bool(Scalyr.missing()), reason=f"no Scalyr agent: {Scalyr.missing()}"),
]


@pytest.mark.timeout(240)
def test_nothing_is_lost_doubled_mislabelled_or_unredacted_under_churn(tmp_path: Path) -> None:
    """The real watcher and the real Scalyr agent, a node of each layout, and all kinds of events."""
    plan = Plan(layouts=(Layout.DOCKER, Layout.CRI), seconds=SECONDS, pace=QUICK, seed=SEED)
    findings, complaints = churn(plan, tmp_path)
    told = "\n".join([of_findings(findings), *complaints])
    print(told)  # noqa: T201 - shown when it fails, and with -rP
    total = findings.total
    counts = (total.lost, total.doubled, total.mislabelled, total.unlabelled, total.unredacted)
    assert counts == (0, 0, 0, 0, 0), told
    assert findings.written > 5_000, told
    happened = {kind for kind in Kind if any(event.kind is kind for event in findings.events)}
    assert {Kind.ROTATED_DOCKER, Kind.ROTATED_KUBELET, Kind.WATCHER_KILLED, Kind.SHIPPER_STOPPED} <= happened
    assert {Kind.SUDDEN, Kind.RELABELLED, Kind.REANNOTATED, Kind.BAD_ANNOTATION} <= happened, told
