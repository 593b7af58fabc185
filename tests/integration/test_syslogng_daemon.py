"""The watcher and the real syslog-ng: what is shipped is labelled, whoever of the two goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_support import run_cli
from daemon_support import SHOP, Stage
from kube_log_watcher_core import Layout
from syslogng_support import Syslogng, needs_syslogng

pytestmark = [needs_syslogng, pytest.mark.timeout(180)]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    (spool := tmp_path / "node" / "spool").mkdir(parents=True)
    return spool


@pytest.fixture
def syslogng(tmp_path: Path, spool: Path) -> Iterator[Syslogng]:
    syslogng = Syslogng(tmp_path, spool=spool)
    yield syslogng
    syslogng.kill()


@pytest.fixture(params=list(Layout), ids=lambda layout: str(layout.value))
def stage(request: pytest.FixtureRequest, tmp_path: Path, spool: Path, syslogng: Syslogng) -> Iterator[Stage]:
    (tmp_path / "state").mkdir()
    environ: dict[str, str | Path | None] = {
        "WATCHER_SPOOL_DIR": spool,
        "WATCHER_SPOOL_MIN_FREE_PERCENT": "0",
        "WATCHER_STATE_DIR": tmp_path / "state",
        "WATCHER_INTERVAL": "1",
        "WATCHER_SYSLOGNG_FOLDER": syslogng.folder,
        "WATCHER_SYSLOGNG_PERSIST_FILE": syslogng.persist_file,
        "WATCHER_SYSLOGNG_CONFIG": syslogng.config,
    }
    with Stage(tmp_path, request.param, agents=("syslogng",), environ=environ) as made:
        made.start()
        made.run("shop-0")  # an API that shows no pod at all is not believed for a while
        made.watcher.wait_for((syslogng.folder / "present.conf").exists, what="a table")
        syslogng.start()
        yield made


def arrived(syslogng: Syslogng) -> list[tuple[str, str, str]]:
    """Return the word of each line that was shipped, with its pod and version."""
    return [
        (
            *re.findall(r"\b(one|two|three)\b", record["log"]),
            record["kubernetes"]["pod_name"],
            record["kubernetes"]["labels"]["version"],
        )
        for record in syslogng.shipped()
    ]


def segments(spool: Path) -> list[str]:
    return [path.name for path in sorted(spool.glob("*/*.log"))]


def test_lines_arrive_with_their_pods_labels_once_each_though_both_are_killed(
    stage: Stage, syslogng: Syslogng
) -> None:
    first = stage.run("shop-1")
    stage.node.write(first, "one")
    stage.watcher.wait_for(lambda: arrived(syslogng) == [("one", "shop-1", "v7")], what="the first line")
    stage.watcher.kill()
    stage.node.rotate(first)
    stage.node.write(first, "two")
    syslogng.kill()
    second = stage.run("shop-2", labels={**SHOP, "version": "v8"})
    stage.node.write(second, "three")
    stage.start()
    syslogng.start()
    expected = {("one", "shop-1", "v7"), ("two", "shop-1", "v7"), ("three", "shop-2", "v8")}
    stage.watcher.wait_for(lambda: set(arrived(syslogng)) == expected, what="the other lines")
    assert len(arrived(syslogng)) == 3


def test_while_syslogng_is_down_new_logs_wait_and_read_ones_alone_go(
    stage: Stage, syslogng: Syslogng, spool: Path
) -> None:
    """What it has not read stays, whoever is down, and with its last segment a log's rule goes."""
    made = stage.run("shop-1")
    stage.node.write(made, "one")
    stage.watcher.wait_for(lambda: len(arrived(syslogng)) == 1, what="the line")
    syslogng.stop()
    stage.node.write(made, "two")
    stage.end(made)
    other = stage.run("shop-2")
    stage.node.write(other, "three")
    stage.watcher.wait_for_log("syslog-ng has not said", timeout=30)
    environ = {name: str(value) for name, value in stage.watcher.environ.items() if value is not None}
    told = run_cli("explain", "shop-2", environ={**environ, "HOME": str(stage.root)}).stdout
    assert "see whether syslog-ng runs" in told
    assert sum(made.id in name for name in segments(spool)) == 1
    assert not any(other.id in name for name in segments(spool))
    syslogng.start()
    stage.watcher.wait_for(lambda: not any(made.id in name for name in segments(spool)), what="its end")
    stage.watcher.wait_for(
        lambda: made.id not in (syslogng.folder / "table.xml").read_text(), what="the end of its rule"
    )
    expected = [("one", "shop-1", "v7"), ("three", "shop-2", "v7"), ("two", "shop-1", "v7")]
    stage.watcher.wait_for(lambda: sorted(arrived(syslogng)) == expected, what="all lines, once each")
