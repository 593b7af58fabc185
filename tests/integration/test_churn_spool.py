"""With the spool nothing is lost though a shipper is spared nothing: the short, harsh forms."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from benchmarks.churn import rsyslog
from benchmarks.churn.events import Kind
from benchmarks.churn.lane import MakeShipper
from benchmarks.churn.pace import HARSH
from benchmarks.churn.report import of_findings
from benchmarks.churn.rsyslog import Rsyslog
from benchmarks.churn.run import Plan, churn
from benchmarks.churn.scalyr import Scalyr
from benchmarks.churn.shipper import PYTHON

from kube_log_watcher_core import Layout

SECONDS = 28.0
SEED = 2
"""One that has all kinds of events in so short a time."""

pytestmark = [pytest.mark.xdist_group("churn"), pytest.mark.timeout(240)]

SCALYR = pytest.param(
    Scalyr,
    id="scalyr",
    marks=[
        pytest.mark.scalyr,
        pytest.mark.skipif(
            not PYTHON.exists(),
            reason=f"no Scalyr agent: SCALYR_AGENT_PYTHON names no Python, nor is {PYTHON} there",
        ),
    ],
)
RSYSLOG = pytest.param(
    Rsyslog,
    id="rsyslog",
    marks=pytest.mark.skipif(
        not Path(rsyslog.PROGRAM).exists(), reason=f"no rsyslog: there is no {rsyslog.PROGRAM}"
    ),
)


@pytest.mark.parametrize("make_shipper", [SCALYR, RSYSLOG])
def test_with_the_spool_nothing_goes_wrong_though_the_shipper_is_spared_nothing(
    make_shipper: MakeShipper, tmp_path: Path
) -> None:
    """Rotations and removals at any time, the shipper stopped for 6 s, the watcher killed, both layouts."""
    layouts = (Layout.DOCKER, Layout.CRI)
    # rsyslog gives no account. Which of two files of one inode it has read is its own affair: none goes here.
    pace = attrs.evolve(HARSH, spool=300.0)
    plan = Plan(layouts, SECONDS, pace, seed=SEED, make_shipper=make_shipper, spool=True)
    findings, complaints = churn(plan, tmp_path)
    told = "\n".join([of_findings(findings), *complaints])
    print(told)  # noqa: T201 - shown when it fails, and with -rP
    total = findings.total
    counts = (total.lost, total.doubled, total.mislabelled, total.unredacted, total.leaked)
    assert counts == (0, 0, 0, 0, 0), told
    assert findings.written > 5_000, told
    assert findings.unwanted > 0, told
    happened = {event.kind for event in findings.events}
    assert {Kind.ROTATED_DOCKER, Kind.ROTATED_KUBELET, Kind.WATCHER_KILLED, Kind.SHIPPER_STOPPED} <= happened
    assert (Kind.SHIPPER_KILLED in happened) == (make_shipper is Rsyslog), told
