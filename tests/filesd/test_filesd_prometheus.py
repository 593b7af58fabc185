"""Prometheus itself discovers what the agent writes: each log with exactly its labels, whatever they are."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest
import requests

from kube_log_watcher_core import LogTarget, NodeContext
from kube_log_watcher_filesd import FilesdAgent, FilesdSettings
from kube_log_watcher_testing import hostile
from kube_log_watcher_testing.factories import make_container, make_target
from support import child, wait_until

PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
CONFIG = """
scrape_configs:
  - job_name: klw
    scrape_interval: 1h
    file_sd_configs:
      - files: [{folder}/*.json]
        refresh_interval: 1s
"""
pytestmark = [
    pytest.mark.skipif(PROMETHEUS is None or PROMTOOL is None, reason="no prometheus, no promtool"),
    pytest.mark.xdist_group("prometheus"),
]


def make_agent(folder: Path) -> FilesdAgent:
    return FilesdAgent(FilesdSettings(folder=folder), NodeContext())


def labelled(number: int, name: str, value: str) -> LogTarget:
    container = make_container(number, pod=f"pod-{number}")
    return make_target(container, labels={"application": "shop", name: value}, labels_as_attributes=("*",))


def hostile_targets() -> list[LogTarget]:
    texts = [text for text in hostile.TEXTS if text]
    return [labelled(2 * number, text, text) for number, text in enumerate(texts)]


def written(folder: Path) -> dict[str, dict[str, str]]:
    """Give the labels of each log as they stand in the file, by the log's path."""
    groups = json.loads((folder / "kube-log-watcher.json").read_text())
    return {group["labels"]["__path__"]: group["labels"] for group in groups}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (folder := tmp_path / "filesd").mkdir()
    return folder


@pytest.fixture
def config(tmp_path: Path, folder: Path) -> Path:
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.format(folder=folder))
    return config


@attrs.frozen
class Prometheus:
    """A running Prometheus."""

    url: str

    def discovered(self) -> dict[str, dict[str, str]]:
        """Give what it has found, by the log's path, without what it adds itself."""
        try:
            answer = requests.get(f"{self.url}/api/v1/targets?state=active", timeout=5)
        except requests.ConnectionError:
            return {}  # it has only been started
        if answer.status_code == requests.codes.service_unavailable:
            return {}
        found = [each["discoveredLabels"] for each in answer.json()["data"]["activeTargets"]]
        return {labels["__path__"]: _without_its_own(labels) for labels in found}


def _without_its_own(labels: Mapping[str, str]) -> dict[str, str]:
    own = {
        "__address__",
        "__meta_filepath",
        "__metrics_path__",
        "__scheme__",
        "__scrape_interval__",
        "__scrape_timeout__",
        "job",
    }
    return {name: value for name, value in labels.items() if name not in own}


@pytest.fixture
def prometheus(tmp_path: Path, config: Path) -> Iterator[Prometheus]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        str(PROMETHEUS),
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address={address}",
    ]
    with open(tmp_path / "prometheus.log", "wb") as log, child(command, stdout=log, stderr=log):
        yield Prometheus(f"http://{address}")


def test_each_hostile_label_is_discovered_as_it_is(folder: Path, prometheus: Prometheus) -> None:
    make_agent(folder).sync(hostile_targets())
    meant = {
        path: {name: _as_utf8(value) for name, value in labels.items()}
        for path, labels in written(folder).items()
    }
    wait_until(lambda: len(prometheus.discovered()) == len(meant), what="all targets")
    assert prometheus.discovered() == meant


def _as_utf8(value: str) -> str:
    return value.encode("utf-8", "replace").decode()


def test_what_comes_changes_and_goes_is_seen(folder: Path, prometheus: Prometheus) -> None:
    agent = make_agent(folder)
    agent.sync([labelled(1, "version", "1"), labelled(2, "version", "1")])
    wait_until(lambda: len(prometheus.discovered()) == 2, what="two targets")
    agent.sync([labelled(2, "version", "2"), labelled(3, "version", "1")])
    wait_until(lambda: prometheus.discovered() == written(folder), what="the new list")
    agent.sync([])
    wait_until(lambda: prometheus.discovered() == {}, what="the end of all")


def test_promtool_finds_the_targets_and_nothing_wrong(folder: Path, config: Path) -> None:
    targets = hostile_targets()
    make_agent(folder).sync(targets)
    found = json.loads(promtool("service-discovery", "--timeout=5s", config, "klw"))
    assert len(found) == len(targets)
    assert [each["error"] for each in found if each.get("error")] == []
    assert "SUCCESS" in promtool("config", config)


def promtool(*arguments: str | Path) -> str:
    command = [str(PROMTOOL), "check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
