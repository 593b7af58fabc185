"""The state file: believed no more than the disk, bounded, and written before anybody acts upon it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon_support import Stage
from kube_log_watcher_core import Layout
from kube_log_watcher_core.state import NAME


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    (tmp_path / "state").mkdir()
    environ: dict[str, str | Path | None] = {
        "WATCHER_STATE_DIR": tmp_path / "state",
        "WATCHER_DRAIN_SECONDS": "60",
    }
    with Stage(tmp_path, Layout.CRI, environ=environ) as stage:
        yield stage.start()


def state(stage: Stage) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((stage.root / "state" / NAME).read_bytes())
    return document


def test_a_forged_drain_reaches_no_agent(stage: Stage) -> None:
    """Somebody who may write the folder would have the shippers read what they like."""
    one = stage.run("shop-1")
    stage.wait_followed(one)
    stage.watcher.stop()
    forged = state(stage)
    (target,) = forged["targets"]
    for number, path in enumerate(("/etc/shadow", f"{stage.node.containers_path}/../../secret", "/dev/zero")):
        container = {**target["container"], "id": None, "key": f"key-{number}", "log_path": path}
        entry = {**target, "id": f"{number:064x}", "container": container}
        forged["departed"].append({"since": 2e9, "size": 10**9, "target": entry})
    (stage.root / "secret").write_text("secret")
    (stage.root / "state" / NAME).write_text(json.dumps(forged))
    stage.start()
    stage.watcher.wait_for_log("3 entries of")
    stage.settle()
    assert stage.follows(one)
    assert "shadow" not in stage.config.read_text()
    assert "secret" not in stage.config.read_text()
    assert len(stage.agent_json()["logs"]) == 2
    assert len(list(stage.jobs.iterdir())) == 2


def test_a_pod_with_much_text_and_many_logs_does_not_make_the_node_forget(stage: Stage) -> None:
    runs = [stage.node.add(pod="large", container=f"c-{number}") for number in range(50)]
    stage.show(*runs, annotations={"note": "x" * 255_000})
    other = stage.run("other")
    stage.watcher.wait_for(lambda: stage.follows(other, *runs), what="following")
    stage.api.delete("default", "large")
    stage.api.delete("default", "other")
    stage.restart()
    stage.watcher.wait_for_log("follows 51 logs", times=3)
    assert stage.follows(other, *runs)
    assert (stage.root / "state" / NAME).stat().st_size < 1_000_000


def test_a_log_that_is_configured_is_remembered_whenever_the_watcher_is_killed(stage: Stage) -> None:
    for number in range(3):
        stage.wait_followed(stage.run(f"shop-{number}"))
        # Within the second in which nothing is written that nobody waits for.
        one = stage.run(f"next-{number}")
        stage.watcher.wait_for(stage.job_file(one).exists, what="the first file")
        stage.watcher.kill()
        assert one.id in {target["id"] for target in state(stage)["targets"]}
        stage.start()


def test_a_drain_is_remembered_whenever_the_watcher_is_killed(stage: Stage) -> None:
    goes = stage.run("goes")
    stage.wait_followed(goes)
    stage.end(goes)
    comes = stage.run("comes")
    stage.watcher.wait_for(stage.job_file(comes).exists, what="what comes after it")
    stage.watcher.kill()
    assert [each["target"]["id"] for each in state(stage)["departed"]] == [goes.id]
    stage.start()
    stage.watcher.wait_for_log("gone and still being read", times=3)
    assert stage.entry(goes)
    assert stage.job(goes)
