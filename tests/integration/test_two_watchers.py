"""Two watchers on the same folders, as a rolling update brings them: one at work, one waiting."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from daemon_support import AGENTS, CART, Stage, layouts
from http_support import ANY_PORT, Metrics, ask, port_of
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.watcher_process import WatcherProcess
from support import soon

DOCKER = Layout.DOCKER


class Pair:
    """A stage whose watcher is at work, and a second one like it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.first = stage.watcher
        self.second = WatcherProcess(
            stage.node, stage.api, environ={**stage.watcher.environ, "WATCHER_HTTP_ADDRESS": ANY_PORT}
        )

    def start_second(self) -> int:
        """Start the second, wait until it has looked and waits, and give its port."""
        self.second.start()
        for agent in AGENTS:
            self.second.wait_for_log(f"agent {agent} waits: another watcher is at work on")
        port = port_of(self.second)
        self.second.wait_for(lambda: Metrics(port).get("targets") == 1, what="seeing what the first sees")
        return port


@contextlib.contextmanager
def pair(root: Path, layout: Layout = DOCKER, **options: Any) -> Iterator[Pair]:
    """Give two watchers: one that follows `early`, one that isn't started yet."""
    state = root / "state"
    state.mkdir()
    environ = {"WATCHER_STATE_DIR": state, **options.pop("environ", {})}
    with Stage(root, layout, environ=environ, **options) as stage:
        made = Pair(stage)
        stage.start()
        stage.wait_followed(stage.run("early"))
        try:
            yield made
        finally:
            made.second.close()


@layouts
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["sigterm", "sigkill"])
def test_the_second_waits_and_takes_over_at_once_and_nothing_flaps(
    tmp_path: Path, layout: Layout, number: signal.Signals
) -> None:
    with pair(tmp_path, layout) as both:
        stage, second = both.stage, both.second
        port = both.start_second()
        page = ask(port, "/readyz")
        assert page.status == 503
        assert (
            f"lock: agent appdynamics waits for {stage.jobs}: another watcher is at work on it" in page.text
        )
        assert ask(port, "/livez").status == ask(port, "/readyz?exclude=lock").status == 200
        assert Metrics(port).get("agent_lock_held", agent="scalyr") == 0
        stage.settle()
        before = stage.identities()
        state = tmp_path / "state" / "state.json"
        second.wait_for(state.exists, what="the state of the first")

        both.first.signal(number)
        both.first.wait_for_exit()
        with soon("taking over"):
            second.wait_for(lambda: ask(port, "/readyz").status == 200, what="taking over")
        assert stage.identities() == before
        assert Metrics(port).get("agent_lock_held", agent="scalyr") == 1

        late = stage.run("late", labels=CART)
        second.wait_for(lambda: stage.follows(late), what="following a new log")
        after = stage.identities()
        untouched = {name: kept for name, kept in before.items() if not name.endswith("agent.json")}
        assert {name: after[name] for name in untouched} == untouched
        for agent in AGENTS:
            assert second.log.count(f"agent {agent} waits") == 1
            assert second.log.count(f"agent {agent} takes over") == 1


def test_while_it_waits_it_writes_nothing_and_ends_at_once_when_asked_to(tmp_path: Path) -> None:
    with pair(tmp_path) as both:
        stage = both.stage
        both.start_second()
        state = tmp_path / "state" / "state.json"
        both.first.wait_for(lambda: "early" in state.read_text(), what="the state of the first")
        before, files = state.stat(), stage.identities()
        with soon("the end"):
            assert both.second.stop() == 0
        assert stage.identities() == files
        assert state.stat().st_ino == before.st_ino
        assert "follows" not in both.second.log
        assert "Traceback" not in both.second.log


def test_logs_that_the_first_took_care_of_count_for_no_latency_of_the_second(tmp_path: Path) -> None:
    with pair(tmp_path) as both:
        stage, second = both.stage, both.second
        port = both.start_second()
        stage.settle()
        second.wait_for(lambda: Metrics(port).get("targets") == 2, what="seeing the new log, too")
        assert both.first.stop() == 0
        second.wait_for(lambda: ask(port, "/readyz").status == 200, what="taking over")
        assert Metrics(port).get("detection_latency_seconds_count", agent="scalyr") == 0


def test_a_reload_of_the_first_lets_nobody_slip_in(tmp_path: Path) -> None:
    config = tmp_path / "watcher.yaml"
    config.write_text(yaml.safe_dump({"cluster_alias": "blue"}))
    with pair(tmp_path, environ={"WATCHER_CONFIG": config}) as both:
        stage = both.stage
        config.write_text(yaml.safe_dump({"cluster_alias": "green"}))
        both.first.wait_for_log("new settings are in use")
        both.start_second()
        for number, alias in enumerate(("red", "white", "grey"), 1):
            config.write_text(yaml.safe_dump({"cluster_alias": alias}))
            both.first.wait_for_log("new settings are in use", times=number + 1)
            both.second.wait_for_log("new settings are in use", times=number)
        both.first.wait_for(
            lambda: stage.agent_json()["server_attributes"]["cluster_alias"] == "grey", what="the last alias"
        )
        assert "takes over" not in both.second.log


def test_two_with_different_folders_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with pair(tmp_path) as both:
        jobs, state = tmp_path / "other-jobs", tmp_path / "other-state"
        jobs.mkdir()
        state.mkdir()
        both.second.environ |= {
            "WATCHER_AGENTS": "appdynamics",
            "WATCHER_APPDYNAMICS_DEST_PATH": jobs,
            "WATCHER_STATE_DIR": state,
        }
        both.second.start()
        both.second.wait_for(lambda: len(list(jobs.iterdir())) == 1, what="a job file")
        assert "waits" not in both.second.log


def test_two_agents_of_one_watcher_may_share_a_folder(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    environ: dict[str, str | Path | None] = {
        "WATCHER_SCALYR_CONFIG_PATH": shared / "agent.json",
        "WATCHER_SCALYR_DEST_PATH": shared,
        "WATCHER_APPDYNAMICS_DEST_PATH": shared,
        "WATCHER_AGENTS": "scalyr,appdynamics",
    }
    with Stage(tmp_path, DOCKER, environ=environ) as stage:
        stage.jobs, stage.dest, stage.config = shared, shared, shared / "agent.json"
        stage.start()
        one = stage.run("shop-1")
        stage.watcher.wait_for(lambda: stage.entry(one) and stage.job(one), what="following")
        assert "waits" not in stage.watcher.log


def command(name: str, environ: Mapping[str, str | Path | None]) -> subprocess.CompletedProcess[str]:
    """Run a command with the settings of a watcher."""
    return subprocess.run(
        [sys.executable, "-m", "kube_log_watcher_core", name],
        env={key: str(value) for key, value in environ.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_once_leaves_the_agents_of_a_running_watcher_alone_and_says_so(tmp_path: Path) -> None:
    with pair(tmp_path) as both:
        before = both.stage.identities()
        done = command("once", {"HOME": tmp_path, **both.first.environ})
        assert done.returncode == 1
        assert "followed: 1" in done.stdout
        assert f"agent appdynamics: another watcher is at work on {both.stage.jobs}" in done.stdout
        assert both.stage.identities() == before


def test_init_does_not_keep_a_pod_from_starting_beside_a_running_watcher(tmp_path: Path) -> None:
    """The old pod of a rolling update may end only when the new one has started."""
    with pair(tmp_path) as both:
        before = both.stage.identities()
        done = command("init", {"HOME": tmp_path, **both.first.environ})
        assert (done.returncode, done.stderr) == (0, "")
        assert f"agent appdynamics: another watcher is at work on {both.stage.jobs}, and has" in done.stdout
        assert both.stage.identities() == before
