"""What the running watcher tells kubelets and Prometheus: the truth, and nothing about single pods."""

from __future__ import annotations

import contextlib
import os
import socket
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from daemon_support import AGENTS, API_KEY, CART, EVENTS_ALONE, Stage, layouts, staged
from http_support import ANY_PORT, Metrics, Page, ask, port_of, words_of
from kube_log_watcher_core import Layout
from mount_support import allow_inotify, without_inotify
from support import soon

DOCKER = Layout.DOCKER
STUBBORN = """
    import threading
    from pathlib import Path

    import attrs

    from kube_log_watcher_core import PATH, AgentError, BaseAgent, setting

    @attrs.frozen
    class StubbornSettings:
        folder: Path = setting(PATH, help="folder of the file that says what to do")

    class Stubborn(BaseAgent[StubbornSettings]):
        name = "stubborn"
        settings_class = StubbornSettings

        def sync(self, targets):
            mood = (self.settings.folder / "mood").read_text()
            if mood == "hang":
                threading.Event().wait()
            if mood == "fail":
                raise AgentError(f"can't bear {[target.pod_name for target in targets]}")
"""


def with_http(root: Path, layout: Layout = DOCKER, **options: Any) -> Stage:
    """Give a stage whose watcher serves on some port."""
    environ = {"WATCHER_HTTP_ADDRESS": ANY_PORT, **options.pop("environ", {})}
    return Stage(root, layout, environ=environ, **options)


@contextlib.contextmanager
def serving(root: Path, layout: Layout = DOCKER, **options: Any) -> Iterator[tuple[Stage, int]]:
    with with_http(root, layout, **options) as stage:
        stage.start()
        yield stage, port_of(stage.watcher)


def stubborn_stage(root: Path, mood: str) -> Stage:
    """Give a stage with one agent more, which does what a file says."""
    file = root / "stubborn.py"
    file.write_text(textwrap.dedent(STUBBORN))
    file.chmod(0o644)
    (root / "mood").write_text(mood)
    environ = {"WATCHER_EXTRA_AGENT": file, "WATCHER_STUBBORN_FOLDER": root}
    return with_http(root, agents=(*AGENTS, "stubborn"), environ=environ)


def ready(port: int) -> Page:
    return ask(port, "/readyz")


def wait_ready(stage: Stage, port: int) -> None:
    stage.watcher.wait_for(lambda: ready(port).status == 200, what="being ready")


def wait_unready(stage: Stage, port: int, told: str) -> None:
    """Wait until nothing but this is missing."""
    stage.watcher.wait_for(lambda: ready(port).text == told, what=told)
    assert ready(port).status == 503


def wait_value(stage: Stage, port: int, value: float, name: str, **labels: str) -> None:
    metrics = Metrics(port)
    stage.watcher.wait_for(
        lambda: metrics.get(name, **labels) == value, what=f"{name}{labels} = {value}\n{metrics.text()}"
    )


class TestHealth:
    @layouts
    def test_it_lives_from_the_start_is_ready_when_the_api_came_and_stays_so_when_it_goes(
        self, tmp_path: Path, layout: Layout
    ) -> None:
        with with_http(tmp_path, layout) as stage:
            stage.api.stop()
            stage.run("shop-1")
            stage.watcher.start()
            port = port_of(stage.watcher)
            stage.watcher.wait_for_log("refused")
            assert ask(port, "/livez").status == 200
            page = ready(port)
            assert page.status == 503
            assert page.text.startswith("pods: the pods of this node are not known yet")
            assert "agents: agent scalyr has not synced yet\n" in page.text
            stage.api.start()
            wait_ready(stage, port)
            stage.api.stop()
            stage.watcher.wait_for_log("refused", times=2)
            assert ask(port, "/livez").status == ready(port).status == 200
            assert (Metrics(port).get("watch_age_seconds") or 0) > 0

    def test_without_work_it_lives_however_rarely_it_looks(self, tmp_path: Path) -> None:
        """The main loop tells how long it means to sleep."""
        with serving(tmp_path, interval=EVENTS_ALONE) as (stage, port):
            wait_ready(stage, port)
            assert ask(port, "/livez").status == 200

    def test_an_agent_that_hangs_is_told_by_name_and_restarts_nobody(self, tmp_path: Path) -> None:
        with stubborn_stage(tmp_path, "hang") as stage:
            stage.start()
            port = port_of(stage.watcher)
            one = stage.run("shop-1")
            stage.wait_followed(one)
            wait_unready(stage, port, "agents: agent stubborn has not synced yet\n")
            assert ask(port, "/livez").status == 200
            metrics = Metrics(port)
            assert (metrics.get("agent_busy_seconds", agent="stubborn") or 0) > 0
            wait_value(stage, port, 0, "agent_busy_seconds", agent="scalyr")
            assert ask(port, "/readyz?exclude=agents").status == 200

    def test_an_agent_that_fails_is_counted_and_its_words_stay_in_the_log(self, tmp_path: Path) -> None:
        with stubborn_stage(tmp_path, "fail") as stage:
            stage.run("shop-secret-pod")
            stage.start()
            port = port_of(stage.watcher)
            stage.watcher.wait_for_log("can't bear ['shop-secret-pod']")
            told = "agents: agent stubborn has not synced yet: its syncs fail (see the log)\n"
            wait_unready(stage, port, told)
            assert (Metrics(port).get("agent_consecutive_failures", agent="stubborn") or 0) >= 1
            (tmp_path / "mood").write_text("well")
            wait_ready(stage, port)
            assert Metrics(port).get("agent_consecutive_failures", agent="stubborn") == 0


class TestMetrics:
    @layouts
    def test_they_tell_what_the_watcher_does(self, tmp_path: Path, layout: Layout) -> None:
        environ = {"WATCHER_DRAIN_SECONDS": "60"}
        with with_http(tmp_path, layout, environ=environ) as stage:
            early, bare = stage.run("early"), stage.run("bare", labels={"team": "x"})
            stage.start()
            port = port_of(stage.watcher)
            stage.wait_followed(early)
            late = stage.run("late", labels=CART)
            stage.wait_followed(early, late)
            wait_value(stage, port, 2, "targets")
            wait_value(stage, port, 1, "skipped", reason="label-missing")
            for agent in AGENTS:
                wait_value(stage, port, 1, "detection_latency_seconds_count", agent=agent)
                assert (Metrics(port).get("detection_latency_seconds_sum", agent=agent) or 99) < 15
                assert Metrics(port).get("agent_lock_held", agent=agent) == 1
                assert (Metrics(port).get("agent_syncs_total", agent=agent, result="success") or 0) >= 2
                assert Metrics(port).get("drains", agent=agent) == 0
            metrics = Metrics(port)
            assert metrics.get("api_requests_total", verb="list", code="200") == 1
            assert metrics.get("api_requests_total", verb="watch", code="200") == 1
            assert metrics.get("api_requests_total", verb="get", code="200") is None
            assert (metrics.get("passes_total", kind="full") or 0) >= 1
            assert (metrics.get("passes_total", kind="partial") or 0) >= 1
            assert metrics.get("relists_total") == metrics.get("polling") == 0
            stage.end(late)
            stage.end(bare)
            wait_value(stage, port, 1, "drains", agent="appdynamics")
            wait_value(stage, port, 1, "targets")

    def test_nothing_about_pods_and_no_secret_is_in_any_answer(self, tmp_path: Path) -> None:
        with serving(tmp_path) as (stage, port):
            stage.namespace = "hidden-namespace"
            one = stage.run("hidden-pod", container="hidden-container")
            stage.wait_followed(one)
            paths = ("/livez", "/readyz", "/metrics", "/", f"/{one.id}", "/metrics?name[]=x")
            said = words_of(ask(port, path) for path in paths)
            for word in ("hidden", one.id, one.uid, API_KEY, "registry.example.org", "shop", "v7"):
                assert word not in said

    def test_what_was_counted_stays_counted_when_the_api_s_address_changes(self, tmp_path: Path) -> None:
        config = tmp_path / "watcher.yaml"
        with with_http(tmp_path, environ={"WATCHER_CONFIG": config, "WATCHER_KUBE_URL": None}) as stage:
            config.write_text(yaml.safe_dump({"kube_url": stage.api.url}))
            stage.start()
            port = port_of(stage.watcher)
            wait_ready(stage, port)
            watches = stage.api.count("watch")
            elsewhere = stage.api.url.replace("127.0.0.1", "localhost")
            config.write_text(yaml.safe_dump({"kube_url": elsewhere}))
            stage.watcher.wait_for(lambda: stage.api.count("watch") > watches, what="another watch")
            wait_value(stage, port, 2, "api_requests_total", verb="list", code="200")
            wait_value(stage, port, 0, "relists_total")

    def test_polling_is_told_while_it_lasts(self, tmp_path: Path) -> None:
        with serving(tmp_path, interval=0.3, prefix=without_inotify()) as (stage, port):
            wait_ready(stage, port)
            wait_value(stage, port, 1, "polling")
            allow_inotify(stage.watcher.pid)
            wait_value(stage, port, 0, "polling")
            assert Metrics(port).get("polling_fallbacks_total") == 1

    def test_every_scrape_of_many_at_once_is_answered(self, tmp_path: Path) -> None:
        with serving(tmp_path) as (stage, port):
            for number in range(20):
                stage.run(f"pod-{number}")
                assert Metrics(port).text().endswith("\n")
            wait_value(stage, port, 20, "targets")
            assert "Traceback" not in stage.watcher.log


class TestAddress:
    def test_one_that_is_in_use_is_a_setting_to_change(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            with with_http(tmp_path, environ={"WATCHER_HTTP_ADDRESS": address}) as stage:
                stage.watcher.start()
                assert stage.watcher.wait_for_exit() == os.EX_CONFIG
                assert (
                    f"WATCHER_HTTP_ADDRESS={address} (tried to listen): "
                    "expected a free address of this host: Address already in use" in stage.watcher.log
                )
                assert "Traceback" not in stage.watcher.log
                assert not stage.config.exists()

    def test_without_one_no_port_is_opened(self, tmp_path: Path) -> None:
        with staged(tmp_path, DOCKER) as stage:
            stage.wait_followed(stage.run("shop-1"))
            assert "/livez" not in stage.watcher.log
            assert listening(stage.watcher.pid) == 0

    def test_a_reload_moves_it_takes_it_away_and_keeps_it_where_the_new_one_can_t_be_had(
        self, tmp_path: Path
    ) -> None:
        config = tmp_path / "watcher.yaml"

        def write(address: str | None) -> None:
            config.write_text(yaml.safe_dump({"interval": 3600, "http_address": address}))

        write(ANY_PORT)
        environ = {"WATCHER_CONFIG": config, "WATCHER_HTTP_ADDRESS": None}
        with with_http(tmp_path, environ=environ) as stage, socket.create_server(("127.0.0.1", 0)) as taken:
            stage.start()
            first = port_of(stage.watcher)
            write(f"127.0.0.1:{taken.getsockname()[1]}")
            stage.watcher.wait_for_log("the new settings can't be used, the old ones stay")
            wait_ready(stage, first)
            write("localhost:0")
            second = port_of(stage.watcher, times=2)
            wait_ready(stage, second)
            write(f"0.0.0.0:{second}")
            assert port_of(stage.watcher, times=3) == second
            stage.watcher.wait_for_log("new settings are in use", times=2)
            wait_ready(stage, second)
            metrics = Metrics(second)
            assert metrics.get("reloads_total", result="success") == 2
            assert metrics.get("reloads_total", result="failure") == 1
            write(None)
            stage.watcher.wait_for(lambda: listening(stage.watcher.pid) == 0, what="no port")
            for port in (first, second):
                with pytest.raises(ConnectionRefusedError):
                    ask(port, "/livez")

    def test_a_client_that_hangs_on_does_not_keep_it_from_ending(self, tmp_path: Path) -> None:
        with serving(tmp_path) as (stage, port), socket.create_connection(("127.0.0.1", port)) as idle:
            idle.sendall(b"GET /metrics HTTP/1.1\r\n")
            stage.wait_followed(stage.run("shop-1"))
            with soon("the end"):
                assert stage.watcher.stop() == 0


def listening(pid: int) -> int:
    """Count the sockets on which a process listens."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(os.readlink(entry))
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return sum(row[3] == "0A" and f"socket:[{row[9]}]" in inodes for row in rows)
