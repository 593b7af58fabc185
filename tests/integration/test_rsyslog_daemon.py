"""The watcher and the real rsyslogd: what is shipped is labelled, whoever of the two goes and comes again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_support import run_cli
from daemon_support import SHOP, Stage
from kube_log_watcher_core import Layout
from rsyslog_support import Rsyslogd, needs_rsyslog

pytestmark = [needs_rsyslog, pytest.mark.timeout(180)]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    (spool := tmp_path / "node" / "spool").mkdir(parents=True)
    return spool


@pytest.fixture
def rsyslogd(tmp_path: Path, spool: Path) -> Iterator[Rsyslogd]:
    rsyslogd = Rsyslogd(tmp_path, spool=spool)
    yield rsyslogd
    rsyslogd.kill()


@pytest.fixture(params=list(Layout), ids=lambda layout: str(layout.value))
def stage(request: pytest.FixtureRequest, tmp_path: Path, spool: Path, rsyslogd: Rsyslogd) -> Iterator[Stage]:
    (tmp_path / "state").mkdir()
    environ: dict[str, str | Path | None] = {
        "WATCHER_SPOOL_DIR": spool,
        "WATCHER_SPOOL_MIN_FREE_PERCENT": "0",
        "WATCHER_STATE_DIR": tmp_path / "state",
        "WATCHER_INTERVAL": "1",
        "WATCHER_RSYSLOG_FOLDER": rsyslogd.folder,
        "WATCHER_RSYSLOG_STATE_DIR": rsyslogd.state_dir,
        "WATCHER_RSYSLOG_CONFIG": rsyslogd.config,
    }
    with Stage(tmp_path, request.param, agents=("rsyslog",), environ=environ) as made:
        made.start()
        made.run("shop-0")  # an API that shows no pod at all is not believed for a while
        made.watcher.wait_for((rsyslogd.folder / "table.json").exists, what="a table")
        rsyslogd.start()
        yield made


def arrived(rsyslogd: Rsyslogd) -> list[tuple[str, str, str]]:
    """Return the last word of each line that was shipped, with its pod and version."""
    return [
        (
            record["log"].split("\\n")[0].split('"stream"')[0].rstrip('\\n",').split()[-1].split('"')[-1],
            record["kubernetes"]["pod_name"],
            record["kubernetes"]["labels"]["version"],
        )
        for record in rsyslogd.shipped()
    ]


def segments(spool: Path) -> list[str]:
    return [path.name for path in sorted(spool.glob("*/*.log"))]


def test_lines_arrive_with_their_pods_labels_once_each_though_both_are_killed(
    stage: Stage, rsyslogd: Rsyslogd
) -> None:
    first = stage.run("shop-1")
    stage.node.write(first, "one")
    stage.watcher.wait_for(lambda: arrived(rsyslogd) == [("one", "shop-1", "v7")], what="the first line")
    stage.watcher.kill()
    stage.node.rotate(first)
    stage.node.write(first, "two")
    rsyslogd.kill()
    second = stage.run("shop-2", labels={**SHOP, "version": "v8"})
    stage.node.write(second, "three")
    stage.start()
    rsyslogd.start()
    expected = {("one", "shop-1", "v7"), ("two", "shop-1", "v7"), ("three", "shop-2", "v8")}
    stage.watcher.wait_for(lambda: set(arrived(rsyslogd)) == expected, what="the other lines")
    assert len(arrived(rsyslogd)) == 3


def test_while_rsyslog_is_down_new_logs_wait_and_are_shipped_when_it_is_back(
    stage: Stage, rsyslogd: Rsyslogd, spool: Path
) -> None:
    stage.watcher.wait_for(lambda: len(segments(spool)) == 1, what="the first segment")
    rsyslogd.stop()
    made = stage.run("shop-1")
    stage.node.write(made, "one")
    stage.node.rotate(made)
    stage.node.write(made, "two")
    stage.watcher.wait_for(lambda: len(list((spool / ".waiting").glob("*.kept"))) == 2, what="two that wait")
    stage.watcher.wait_for_log("rsyslog has not said", timeout=30)
    environ = {name: str(value) for name, value in stage.watcher.environ.items() if value is not None}
    told = run_cli("explain", "shop-1", environ={**environ, "HOME": str(stage.root)}).stdout
    assert "see whether rsyslog runs" in told
    assert len(segments(spool)) == 1
    rsyslogd.start()
    expected = [("one", "shop-1", "v7"), ("two", "shop-1", "v7")]
    stage.watcher.wait_for(lambda: sorted(arrived(rsyslogd)) == expected, what="both lines")


def test_a_segment_goes_when_rsyslog_has_read_it_and_with_the_last_the_row(
    stage: Stage, rsyslogd: Rsyslogd, spool: Path
) -> None:
    made = stage.run("shop-1")
    stage.node.write(made, "one")
    stage.watcher.wait_for(lambda: len(arrived(rsyslogd)) == 1, what="the line")
    rsyslogd.stop()
    stage.node.write(made, "two")
    stage.end(made)
    begun = time.monotonic()
    stage.watcher.wait_for(lambda: time.monotonic() - begun > 4, what="some looks")
    assert sum(made.id in name for name in segments(spool)) == 1
    rsyslogd.start()
    stage.watcher.wait_for(lambda: not any(made.id in name for name in segments(spool)), what="its end")
    stage.watcher.wait_for(
        lambda: made.id not in (rsyslogd.folder / "table.json").read_text(), what="the end of its row"
    )
    assert [word for word, _, _ in arrived(rsyslogd)] == ["one", "two"]


def test_a_label_that_changes_is_attached_without_a_restart(stage: Stage, rsyslogd: Rsyslogd) -> None:
    made = stage.run("shop-1")
    stage.node.write(made, "one")
    stage.watcher.wait_for(lambda: len(arrived(rsyslogd)) == 1, what="the line")
    stage.api.relabel("default", "shop-1", version="v8")
    ack = rsyslogd.folder / "ack"
    before = ack.read_text()
    stage.watcher.wait_for(lambda: ack.read_text() != before, what="the table")
    stage.node.write(made, "two")
    stage.watcher.wait_for(lambda: len(arrived(rsyslogd)) == 2, what="the other line")
    assert arrived(rsyslogd) == [("one", "shop-1", "v7"), ("two", "shop-1", "v8")]
