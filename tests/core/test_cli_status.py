"""``status``: the node at a glance."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cli_support import COMMAND, in_terminal, run_cli
from explain_support import Asked, asked
from support import child, wait_until


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Asked]:
    with asked(tmp_path) as made:
        yield made


def test_it_tells_what_is_followed_and_skipped_and_how_agents_are(here: Asked) -> None:
    here.here.add("shop-1")
    here.here.add("debug", labels={"application": "debug"})
    with here.watcher():
        code, status = here.status()
    assert (code, status["kind"], status["problems"]) == (0, "status", [])
    assert (status["node"], status["followed"], status["skipped"]) == ("node-1", 1, {"label-missing": 1})
    (agent,) = status["agents"]
    assert (agent["name"], agent["state"], agent["error"]) == ("lister", "ok", None)
    assert 0 <= agent["synced_seconds_ago"] <= status["uptime_seconds"] + 1
    assert (status["watch"]["state"], status["watch"]["pods"]) == ("watching", 2)
    assert status["polling_reason"] is None
    assert status["state_dir"] == str(here.state)


def test_a_pipe_gets_plain_columns(here: Asked) -> None:
    here.here.add("shop-1")
    with here.watcher():
        done = run_cli("status", environ=here.environ)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("healthy: node node-1: kube-log-watcher ")
    assert "\x1b" not in done.stdout
    assert ["followed", "1"] in [line.split() for line in lines]
    assert any(line.split()[:2] == ["lister", "ok"] for line in lines)


def test_a_terminal_gets_colours(here: Asked) -> None:
    with here.watcher():
        code, shown = in_terminal("status", environ=here.environ)
    assert code == 0
    assert "\x1b[" in shown
    assert "healthy" in shown


def test_yaml_is_the_same_document_as_json(here: Asked) -> None:
    with here.watcher():
        done = run_cli("status", "-o", "yaml", environ=here.environ)
        _, status = here.status()
    assert yaml.safe_load(done.stdout).keys() == status.keys()


def test_without_a_watcher_it_ends_with_69(here: Asked) -> None:
    done = run_cli("status", environ=here.environ)
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr == f"kube-log-watcher: no watcher runs that has {here.state}\n"


def test_without_a_folder_for_state_nobody_can_be_asked(here: Asked) -> None:
    del here.environ["WATCHER_STATE_DIR"]
    done = run_cli("status", environ=here.environ)
    assert done.returncode == 69
    assert "WATCHER_STATE_DIR is not set" in done.stderr


def test_an_api_that_is_away_shows_as_degraded(here: Asked) -> None:
    here.here.add("shop-1")
    with here.watcher():
        here.here.api.stop()
        wait_until(lambda: here.status()[0] == 1, what="a problem")
        done = run_cli("status", environ=here.environ)
    assert done.returncode == 1
    assert done.stdout.startswith("degraded: ")
    assert "problem: the Kubernetes API: " in done.stdout
    assert ["followed", "1"] in [line.split() for line in done.stdout.splitlines()]


def test_before_the_api_has_answered_it_tells_what_it_waits_for(here: Asked) -> None:
    here.here.add("shop-1")
    here.here.api.stop()
    with child([*COMMAND, "run"], env=here.environ, stderr=subprocess.DEVNULL):
        wait_until(lambda: here.status()[0] == 1, what="an answer")
        _, status = here.status()
        _, document = here.explain("shop-1")
    assert any("the pods of this node are not known yet" in problem for problem in status["problems"])
    assert status["followed"] == 0
    assert "nothing is decided yet" in document["notes"][0]


def test_watching_shows_it_again_and_ends_with_the_last_state(here: Asked) -> None:
    with here.watcher() as watcher, (here.tmp_path / "out").open("w+b") as out:
        command = [*COMMAND, "status", "--watch", "--every", "0.2", "-o", "json"]
        with child(command, env=here.environ, stdout=out, stderr=out) as process:
            wait_until(lambda: _lines(out.name) >= 3, what="three states")
            watcher.process.kill()
            wait_until(lambda: "no watcher runs" in Path(out.name).read_text(), what="its end")
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 69
    documents = [json.loads(line) for line in Path(out.name).read_text().splitlines()]
    assert {each["kind"] for each in documents} == {"status", "error"}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_watching_in_a_terminal_draws_one_screen_and_gives_it_back(
    here: Asked, number: signal.Signals, code: int
) -> None:
    ours, theirs = pty.openpty()
    environ = {**here.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    command = [*COMMAND, "status", "--watch", "--every", "0.2"]
    with here.watcher(), child(command, env=environ, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while shown.count(b"healthy") < 2:
            shown += os.read(ours, 65536)
        process.send_signal(number)
        with contextlib.suppress(OSError):  # so a terminal tells that the other side is closed
            while piece := os.read(ours, 65536):
                shown += piece
        os.close(ours)
        assert process.wait(30) == code
    assert shown.startswith(b"\x1b[?1049h")
    assert b"\x1b[?1049l" in shown
    assert b"Traceback" not in shown


def _lines(path: str) -> int:
    return len(Path(path).read_text().splitlines())
