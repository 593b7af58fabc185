"""What people are told of the spool by the running watcher."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_support import run_cli
from daemon_support import Stage
from kube_log_watcher_core import Layout
from support import wait_until


@pytest.fixture(params=list(Layout), ids=lambda layout: str(layout.value))
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    for name in ("state", "data", "node/spool"):
        (tmp_path / name).mkdir(parents=True)
    environ: dict[str, str | Path | None] = {
        "WATCHER_SPOOL_DIR": tmp_path / "node" / "spool",
        "WATCHER_STATE_DIR": tmp_path / "state",
        "WATCHER_SCALYR_DATA_PATH": tmp_path / "data",
        "WATCHER_INTERVAL": "1",
    }
    with Stage(tmp_path, request.param, agents=("scalyr",), environ=environ) as made:
        yield made.start()


def asked(stage: Stage, *command: str) -> tuple[int, str]:
    environ = {name: str(value) for name, value in stage.watcher.environ.items() if value is not None}
    done = run_cli(*command, environ={**environ, "HOME": str(stage.root)})
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def status(stage: Stage) -> tuple[int, dict[str, Any]]:
    code, text = asked(stage, "status", "-o", "json")
    found: dict[str, Any] = json.loads(text or "{}")
    return code, found


def segments(stage: Stage) -> list[Path]:
    return sorted((stage.root / "node" / "spool").glob("*/*.log"))


def test_status_tells_of_segments_and_of_what_is_unread(stage: Stage) -> None:
    made = stage.run("shop-1")
    stage.node.write(made, "one")
    wait_until(lambda: len(segments(stage)) == 1)
    stage.node.rotate(made)
    wait_until(lambda: len(segments(stage)) == 2)
    wait_until(lambda: (stage.status().get("spool") or {}).get("segments") == 2)
    code, found = status(stage)
    assert code == 0
    assert found["spool"] | {"oldest_unread_seconds": 0} == {
        "folders": [str(stage.root / "node" / "spool")],
        "logs": 1,
        "waiting": 0,
        "segments": 2,
        "held_bytes": 0,
        "oldest_unread_seconds": 0,
        "given_up_bytes": 0,
        "by_path": {},
        "troubles": [],
    }
    assert found["spool"]["oldest_unread_seconds"] is not None


def test_status_counts_what_only_the_spool_still_holds(stage: Stage) -> None:
    made = stage.run("shop-1")
    stage.node.write(made, "one")
    wait_until(lambda: len(segments(stage)) == 1)
    stage.end(made)
    size = segments(stage)[0].stat().st_size
    wait_until(lambda: stage.status()["spool"]["held_bytes"] == size, timeout=20)
    assert status(stage)[1]["spool"]["held_bytes"] == size


def test_a_log_that_can_not_be_kept_is_a_problem_that_names_the_remedy(stage: Stage) -> None:
    stage.wait_followed()
    shutil.rmtree(stage.root / "node" / "spool")
    made = stage.run("shop-1")
    stage.watcher.wait_for(lambda: stage.entry(made), what="following by its path")
    wait_until(lambda: stage.status()["problems"])
    code, found = status(stage)
    assert code == 1
    (problem,) = found["problems"]
    assert problem.startswith("1 logs can't be kept in the spool and are followed by their path: ")
    assert "create the folder" in problem


def one(stage: Stage, *options: str) -> tuple[int, dict[str, Any]]:
    code, text = asked(stage, "explain", "shop-1", "-o", "json", *options)
    (found,) = (each for each in json.loads(text)["containers"] if each["reason"] != "pause-container")
    return code, found


def test_explain_tells_each_segment_with_its_size_and_how_far_it_is_read(stage: Stage) -> None:
    made = stage.run("shop-1")
    stage.node.write(made, "one")
    wait_until(lambda: len(segments(stage)) == 1)
    stage.node.rotate(made)
    stage.node.write(made, "two")
    wait_until(lambda: len(segments(stage)) == 2)
    wait_until(lambda: len(stage.report("shop-1")["spool"]["segments"]) == 2)
    code, found = one(stage)
    assert (code, found["spool"]["state"], found["spool"]["trouble"]) == (0, "shown", "")
    assert [(each["path"], each["bytes"]) for each in found["spool"]["segments"]] == [
        (str(path), path.stat().st_size) for path in segments(stage)
    ]
    assert [each["closed"] is None for each in found["spool"]["segments"]] == [False, True]
    text = asked(stage, "explain", "shop-1")[1]
    assert "being written" in text
    assert "2 segments" in text


def test_explain_works_offline_from_the_folder(stage: Stage) -> None:
    made = stage.run("shop-1")
    stage.node.write(made, "one")
    wait_until(lambda: len(segments(stage)) == 1)
    state = stage.root / "state" / "state.json"
    wait_until(lambda: state.exists() and "spool" in state.read_text())
    assert stage.watcher.stop() == 0
    code, found = one(stage)
    assert (code, found["spool"]["state"], len(found["spool"]["segments"])) == (0, "shown", 1)
    assert found["agents"][0]["trouble"] is None
    stage.node.rotate(made)
    before = sorted((stage.root / "node").rglob("*"))
    code, found = one(stage)
    assert (code, found["spool"]["trouble"]) == (1, "no watcher runs: the next one links it")
    assert sorted((stage.root / "node").rglob("*")) == before


def test_explain_tells_why_a_log_is_followed_by_its_path(stage: Stage) -> None:
    stage.wait_followed()
    shutil.rmtree(stage.root / "node" / "spool")
    made = stage.run("shop-1")
    stage.watcher.wait_for(lambda: stage.entry(made), what="following by its path")
    code, found = one(stage)
    assert (code, found["spool"]["state"]) == (0, "by-path")
    assert "create the folder" in found["spool"]["detail"]
    assert "its path is followed, not the spool: " in asked(stage, "explain", "shop-1")[1]
