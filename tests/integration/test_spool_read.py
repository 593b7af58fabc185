"""How far the real Scalyr agent has read each file in the spool, as ``explain`` tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli_support import run_cli
from daemon_support import SHOP, Stage, layouts, with_spool
from kube_log_watcher_core import Layout
from scalyr_process import NEEDS_AGENT, running_agent
from scalyr_receiver import Receiver
from support import wait_until

pytestmark = [pytest.mark.scalyr, pytest.mark.long, pytest.mark.timeout(150), NEEDS_AGENT]

QUICK = {"SCALYR_MAX_REQUEST_SPACING_INTERVAL": "0.3", "SCALYR_FULL_CHECKPOINT_INTERVAL_IN_SECONDS": "1"}


def stage_of(root: Path, layout: Layout) -> Stage:
    data = root / "scalyr" / "scalyr-agent" / "data"
    data.mkdir(parents=True)
    environ: dict[str, str | Path | None] = {
        "WATCHER_SCALYR_DATA_PATH": data,
        "WATCHER_SCALYR_CONFIG_CHECK_INTERVAL": "0.2",
    }
    return with_spool(root, layout, environ=environ)


def explained(stage: Stage) -> dict[str, Any]:
    environ = {name: str(value) for name, value in stage.watcher.environ.items() if value is not None}
    done = run_cli("explain", "shop-1", "-o", "json", environ={**environ, "HOME": str(stage.root)})
    assert "Traceback" not in done.stderr
    found = json.loads(done.stdout)["containers"]
    (one,) = (each for each in found if each["reason"] != "pause-container")
    return dict(one)


def readings(stage: Stage) -> list[int]:
    """Give how many bytes of each segment are read, oldest first, as the watcher tells it."""
    (agent,) = explained(stage)["agents"]
    return [each["read_bytes"] for each in agent["segments"]]


@layouts
def test_it_is_told_of_each_file_and_what_is_read_goes(tmp_path: Path, layout: Layout) -> None:
    with stage_of(tmp_path, layout) as stage, Receiver() as receiver:
        stage.start()
        made = stage.run("shop-1")
        stage.node.write(made, "one")
        stage.watcher.wait_for(lambda: "path" in stage.entry(made), what="the entry")
        with running_agent(stage.config, receiver, QUICK):
            wait_until(lambda: len(receiver.messages(**SHOP)) == 1, timeout=40, what="the first line")
            (first,) = stage.segments(made)
            wait_until(lambda: readings(stage) == [first.stat().st_size], timeout=20, what="its account")
            receiver.keep_out()
            stage.node.write(made, "two")
            stage.node.rotate(made)
            stage.node.write(made, "three")
            wait_until(lambda: len(stage.segments(made)) == 2, what="the second segment")
            wait_until(lambda: receiver.waiting, timeout=20, what="a request that waits")
            read = readings(stage)
            assert read[0] < first.stat().st_size
            assert read[1:] in ([], [0])
            receiver.let_in()
            wait_until(lambda: len(receiver.messages(**SHOP)) == 3, timeout=40, what="all lines")
            wait_until(lambda: not first.exists(), timeout=30, what="the end of the first segment")
            (second,) = stage.segments(made)
            wait_until(lambda: readings(stage) == [second.stat().st_size], timeout=20, what="its account")


@layouts
def test_without_a_watcher_and_without_its_state_file_it_is_told_all_the_same(
    tmp_path: Path, layout: Layout
) -> None:
    with stage_of(tmp_path, layout) as stage, Receiver() as receiver:
        stage.start()
        made = stage.run("shop-1")
        stage.node.write(made, "one")
        stage.watcher.wait_for(lambda: "path" in stage.entry(made), what="the entry")
        with running_agent(stage.config, receiver, QUICK):
            wait_until(lambda: len(receiver.messages(**SHOP)) == 1, timeout=40, what="the first line")
            (first,) = stage.segments(made)
            size = first.stat().st_size
            wait_until(lambda: readings(stage) == [size], timeout=20, what="its account")
        stage.watcher.kill()
        for path in (stage.root / "state").iterdir():
            path.unlink()
        stage.node.write(made, "two")
        found = explained(stage)
        assert [each["path"] for each in found["spool"]["segments"]] == [str(first)]
        assert [each["bytes"] for each in found["spool"]["segments"]] == [first.stat().st_size]
        assert readings(stage) == [size]
