"""A watcher at work, asked about everything that can become of a container."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cli_support import run_cli
from daemon_support import API_KEY, EVENTS_ALONE, SHOP, Stage
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.watcher_process import WatcherProcess


@pytest.fixture(params=list(Layout), ids=lambda layout: str(layout.value))
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    state = tmp_path / "state"
    state.mkdir()
    environ: dict[str, str | Path | None] = {
        "WATCHER_STATE_DIR": state,
        "WATCHER_DRAIN_SECONDS": "300",
        "WATCHER_GATE_SECONDS": "0.2",
        "WATCHER_EXCLUDE_NAMESPACES": "sandbox",
    }
    with Stage(tmp_path, request.param, environ=environ) as made:
        yield made.start()


def environ_of(stage: Stage) -> dict[str, str]:
    found = {name: str(value) for name, value in stage.watcher.environ.items() if value is not None}
    return {**found, "HOME": str(stage.root)}


def socket_of(stage: Stage) -> Path:
    return stage.root / "state" / "watcher.sock"


def explain(stage: Stage, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = run_cli("explain", "-o", "json", *arguments, environ=environ_of(stage))
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


def one(stage: Stage, name: str) -> Mapping[str, Any]:
    _, document = explain(stage, name)
    (report,) = (each for each in document["containers"] if each["reason"] != "pause-container")
    found: Mapping[str, Any] = report
    return found


def test_every_fate_of_a_container_is_explained(stage: Stage) -> None:
    followed, going = stage.run("shop-1"), stage.run("job-1")
    stage.run("debug", labels={"application": "debug"})
    stage.run("left-out", annotations={"kubernetes-log-watcher/exclude": "true"})
    stage.run("elsewhere", namespace="sandbox")
    stage.node.add(pod="ghost")
    stage.wait_followed(followed, going)
    stage.end(going)
    stage.watcher.wait_for(
        lambda: stage.report("ghost")["reason"] == "pod-unknown", what="giving up on the pod"
    )
    stage.watcher.wait_for(lambda: stage.report("job-1")["state"] == "draining", what="the drain")
    found = explain(stage)[1]["containers"]
    reports = {each["pod_name"]: each for each in found if each["reason"] != "pause-container"}
    assert {name: report["reason"] for name, report in reports.items()} == {
        "debug": "label-missing",
        "left-out": "excluded-by-annotation",
        "elsewhere": "namespace-excluded",
        "ghost": "pod-unknown",
        "job-1": None,
        "shop-1": None,
    }
    code, document = explain(stage, "job-1")
    assert (code, document["containers"][-1]["pod"]["source"]) == (0, "memory")
    assert one(stage, "shop-1")["pod"]["source"] == "watch"


def test_all_that_each_agent_wrote_is_shown_and_no_key(stage: Stage) -> None:
    container = stage.run("shop-1")
    stage.wait_followed(container)
    code, document = explain(stage, "shop-1")
    assert code == 0
    agents = {agent["name"]: agent["written"] for agent in document["containers"][-1]["agents"]}
    assert {name: [item["kind"] for item in items] for name, items in agents.items()} == {
        "scalyr": ["link", "file"],
        "appdynamics": ["file"],
        "symlinker": ["link"],
    }
    entry = json.loads(agents["scalyr"][1]["content"])
    assert entry == stage.entry(container)
    assert agents["appdynamics"][0]["content"] == stage.job_file(container).read_text()
    assert API_KEY not in json.dumps(document)


def test_how_far_the_shipper_has_read_is_told(tmp_path: Path) -> None:
    state, data = tmp_path / "state", tmp_path / "data"
    state.mkdir()
    data.mkdir()
    environ = {"WATCHER_STATE_DIR": state, "WATCHER_SCALYR_DATA_PATH": data}
    with Stage(tmp_path, Layout.CRI, agents=["scalyr"], environ=environ) as stage:
        container = stage.start().run("shop-1")
        stage.watcher.wait_for(lambda: stage.entry(container), what="following")
        account = {"time": 1e9, "position": 60, "pending_files": [{"position_start": 10, "position_end": 99}]}
        checkpoints = {"time": 1e9, "checkpoints": {str(container.log): account}}
        (data / "active-checkpoints-worker-0.json").write_text(json.dumps(checkpoints))
        (agent,) = one(stage, "shop-1")["agents"]
    assert (agent["read_bytes"], agent["read_at"]) == (50, 1e9)


def test_a_log_whose_redaction_can_not_be_done_is_held_wherever_one_asks(stage: Stage) -> None:
    """It was seen: nothing of it was shipped, and it was `followed`, `healthy`, exit 0, without a remark."""
    annotation = "kubernetes-log-watcher/scalyr-redaction-rules"
    held = stage.run("secretive", annotations={annotation: "{"})
    stage.watcher.wait_for(lambda: "log is not shipped" in stage.watcher.log, what="holding the log")
    code, document = explain(stage, "secretive")
    (report,) = document["containers"]
    assert (code, report["state"]) == (1, "held")
    (scalyr,) = (agent for agent in report["agents"] if agent["name"] == "scalyr")
    (objection,) = scalyr["objections"]
    assert (objection["annotation"], objection["holds"]) == (annotation, True)
    assert objection["reason"].startswith("no JSON")
    shown = run_cli("explain", "secretive", environ=environ_of(stage)).stdout
    assert re.search(r"^  decision +held by scalyr: nothing of it is shipped", shown, re.MULTILINE)
    assert f"holds the log, for {annotation}: no JSON" in shown
    assert "can't tell" not in shown.partition("agent scalyr")[2].partition("agent symlinker")[0]
    done = run_cli("status", "-o", "json", environ=environ_of(stage))
    node = json.loads(done.stdout)
    assert (done.returncode, node["held"], node["followed"]) == (1, 1, 0)
    assert any("agent scalyr holds 1 log" in problem for problem in node["problems"])
    assert not stage.entry(held)


def test_a_misspelt_annotation_is_told_with_what_may_be_meant(stage: Stage) -> None:
    container = stage.run("careless", annotations={"kubernetes-log-watcher/scaylr-parser": "app"})
    stage.wait_followed(container)
    (remark,) = one(stage, "careless")["remarks"]
    assert remark.endswith("nobody reads it: did you mean kubernetes-log-watcher/scalyr-parser?")


def test_a_pod_that_is_gone_is_still_known_with_what_became_of_its_logs(tmp_path: Path) -> None:
    """It was seen: an hour later `explain` said that nothing matched."""
    (tmp_path / "state").mkdir()
    environ: dict[str, str | Path | None] = {
        "WATCHER_STATE_DIR": tmp_path / "state",
        "WATCHER_DRAIN_SECONDS": "0.2",
    }
    with Stage(tmp_path, Layout.CRI, environ=environ) as stage:
        _what_became_of_them(stage.start())


def _what_became_of_them(stage: Stage) -> None:
    job = stage.run("job-1")
    unwanted = stage.run("debug", labels={"application": "debug"})
    stage.wait_followed(job)
    stage.end(job)
    stage.end(unwanted)
    stage.watcher.wait_for(lambda: stage.report("job-1").get("state") == "gone", what="the end of the drain")
    stage.watcher.wait_for(lambda: stage.report("debug").get("state") == "gone", what="the end of debug")
    code, document = explain(stage, "job-1")
    (report,) = document["containers"]
    assert (code, report["reason"], report["pod"]["labels"]) == (0, None, SHOP)
    assert {agent["name"]: agent["ending"] for agent in report["agents"]} == dict.fromkeys(
        ("scalyr", "appdynamics", "symlinker"), "waited for: it does not tell how far it has read"
    )
    shown = run_cli("explain", "job-1", environ=environ_of(stage)).stdout
    assert re.search(r"^  decision +gone since \d{4}-\d\d-\d\dT", shown, re.MULTILINE)
    code, document = explain(stage, "debug")
    (report,) = document["containers"]
    assert (code, report["reason"]) == (1, "label-missing")


def test_the_socket_is_its_owners_alone_and_goes_with_the_watcher(stage: Stage) -> None:
    assert stat.S_IMODE(socket_of(stage).lstat().st_mode) == 0o600
    assert stage.watcher.stop() == 0
    assert not socket_of(stage).exists()


def test_after_a_kill_it_is_explained_offline_and_the_next_watcher_replaces_the_socket(stage: Stage) -> None:
    container = stage.run("shop-1")
    stage.wait_followed(container)
    state = stage.root / "state" / "state.json"
    stage.watcher.wait_for(lambda: state.exists() and container.id in state.read_text(), what="the state")
    stage.watcher.kill()
    assert socket_of(stage).is_socket()
    code, document = explain(stage, "shop-1")
    assert (code, document["source"]) == (0, "offline")
    stage.start()
    stage.watcher.wait_for(lambda: explain(stage, "shop-1")[1]["source"] == "watcher", what="an answer")


def test_names_of_pods_stay_data(stage: Stage) -> None:
    labels = {"application": "\x1b]0;owned\x07", "version": "1\n2"}
    evil = stage.run("evil", labels=labels)
    stage.watcher.wait_for(lambda: stage.entry(evil), what="following")
    shown = run_cli("explain", "-o", "wide", environ=environ_of(stage)).stdout
    assert "\x1b" not in shown
    assert "\\x1b]0;owned\\x07" in shown
    _, document = explain(stage, "evil")
    assert document["containers"][-1]["pod"]["labels"] == labels


def test_a_client_that_says_nothing_holds_up_nobody(stage: Stage) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(socket_of(stage)))
        stage.wait_followed(stage.run("shop-1"))


def test_a_second_watcher_answers_when_the_first_has_ended(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with Stage(tmp_path, Layout.CRI, environ={"WATCHER_STATE_DIR": state}) as stage:
        stage.wait_followed(stage.start().run("shop-1"))
        with WatcherProcess(stage.node, stage.api, environ=stage.watcher.environ) as second:
            second.wait_for_log("waits: another watcher is at work")
            assert _pid(stage) == stage.watcher.pid
            stage.watcher.stop()
            second.wait_for(lambda: _pid(stage) == second.pid, what="the second one's answer")


def test_a_reload_moves_the_socket_with_the_state(tmp_path: Path) -> None:
    for name in ("state", "other"):
        (tmp_path / name).mkdir()
    config = tmp_path / "config.yaml"
    config.write_text(f"state_dir: {tmp_path / 'state'}\ninterval: {EVENTS_ALONE}\n")
    environ = {"WATCHER_CONFIG": config, "WATCHER_INTERVAL": None}
    with Stage(tmp_path, Layout.CRI, environ=environ) as stage:
        stage.wait_followed(stage.start().run("shop-1"))
        assert socket_of(stage).is_socket()
        config.write_text(f"state_dir: {tmp_path / 'other'}\ninterval: {EVENTS_ALONE}\n")
        stage.watcher.wait_for((tmp_path / "other" / "watcher.sock").is_socket, what="the move")
        stage.watcher.wait_for(lambda: not socket_of(stage).exists(), what="the end of the old one")
        assert explain(stage, "shop-1")[1]["source"] == "watcher"


def _pid(stage: Stage) -> int | None:
    done = run_cli("status", "-o", "json", environ=environ_of(stage))
    found: int | None = json.loads(done.stdout)["pid"] if done.stdout else None
    return found


def test_status_is_not_healthy_while_the_next_start_would_fail(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    config = tmp_path / "settings.yaml"
    config.write_text("interval: 3600\n")
    environ: dict[str, str | Path | None] = {
        "WATCHER_STATE_DIR": tmp_path / "state",
        "WATCHER_CONFIG": config,
        "WATCHER_INTERVAL": None,
    }
    with Stage(tmp_path, Layout.CRI, agents=["symlinker"], environ=environ) as stage:
        stage.start()
        stage.watcher.wait_for(lambda: stage.status().get("problems") == [], what="health")
        for spoil in (lambda: config.write_text("interval: often\n"), config.unlink):
            spoil()
            stage.watcher.wait_for(lambda: stage.status().get("problems"), what="a problem")
            (problem,) = stage.status()["problems"]
            assert problem.startswith("the settings on disk can't be used, the next start would fail: ")
            config.write_text("interval: 3600\n")
            stage.watcher.wait_for(lambda: stage.status().get("problems") == [], what="health again")


def test_status_is_not_healthy_while_the_containers_can_not_be_listed(stage: Stage) -> None:
    stage.watcher.wait_for(lambda: stage.status().get("problems") == [], what="health")
    containers = stage.node.containers_path
    containers.rename(containers.with_name("away"))
    stage.watcher.signal(signal.SIGHUP)
    stage.watcher.wait_for(lambda: stage.status().get("problems"), what="a problem")
    assert any("the containers can't be listed" in each for each in stage.status()["problems"])
    containers.with_name("away").rename(containers)
    stage.watcher.signal(signal.SIGHUP)
    stage.watcher.wait_for(lambda: stage.status().get("problems") == [], what="health again")
