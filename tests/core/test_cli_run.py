"""The daemon as a process: how it starts, follows, reloads and ends."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_support import KEY, Place, Running, clean_environ, place, running
from kube_log_watcher_core.models import Layout
from kube_log_watcher_testing.fake_api import Silent
from support import SOON_SECONDS, child, wait_until


@pytest.fixture(params=[Layout.DOCKER, Layout.CRI], ids=["docker", "cri"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path, request.param) as made:
        yield made


@pytest.fixture
def simple(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path) as made:
        yield made


def ends(watcher: Running) -> int:
    """Expect the end of a process; give its exit code."""
    return watcher.process.wait(SOON_SECONDS)


def test_files_follow_pods_without_any_command(here: Place, tmp_path: Path) -> None:
    first = here.add("shop-1")
    with running(environ=here.environ, log=tmp_path / "log") as watcher:
        wait_until(lambda: str(first.log) in here.listed())
        second = here.add("shop-2")
        wait_until(lambda: str(second.log) in here.listed())
        here.api.relabel("default", "shop-2", version="2.0")
        wait_until(lambda: "shop-2 2.0" in here.listed())
        here.node.remove(first)
        here.api.delete("default", "shop-1")
        wait_until(lambda: str(first.log) not in here.listed())
        watcher.send(signal.SIGTERM)
        assert ends(watcher) == 0
    assert str(second.log) in here.listed()
    assert KEY not in watcher.said()


def test_the_flags_of_the_original_still_work(simple: Place, tmp_path: Path) -> None:
    environ = dict(simple.environ)
    path, url = environ.pop("WATCHER_CONTAINERS_PATH"), environ.pop("WATCHER_KUBE_URL")
    del environ["WATCHER_AGENTS"]
    flags = [
        "--containers-path",
        path,
        "-a",
        "Lister",
        "-i",
        "kube-1",
        "-u",
        url,
        "--strict-labels",
        "application",
    ]
    container = simple.add("shop-1", labels={"application": "shop"})
    with running(
        *flags, "--updated-certificates", "--interval", "5", "-v", environ=environ, log=tmp_path / "log"
    ) as watcher:
        wait_until(lambda: str(container.log) in simple.listed())
        watcher.wait_for("DEBUG kube_log_watcher_core.cli.run: settings of agent lister")
        watcher.wait_for("WATCHER_KUBERNETES_UPDATE_CERTIFICATES=true is deprecated")
    assert KEY not in watcher.said()


def test_the_first_lines_say_what_was_decided(simple: Place, tmp_path: Path) -> None:
    environ = simple.environ | {"WATCHER_SERVICE_HOST": "10.0.0.1"}
    with running(environ=environ, log=tmp_path / "log") as watcher:
        watcher.wait_for("follows 0 logs")
        said = watcher.said()
    assert f"containers are in {simple.node.containers_path}" in said
    assert f"agent lister ({tmp_path / 'lister.py'})" in said
    assert f"node node-1, API {simple.api.url}, full pass every 60 s" in said
    assert "ignored, no such setting: WATCHER_SERVICE_HOST" in said


def test_log_lines_can_be_json(simple: Place, tmp_path: Path) -> None:
    environ = simple.environ | {"WATCHER_LOG_FORMAT": "json"}
    with running("run", environ=environ, log=tmp_path / "log") as watcher:
        watcher.wait_for("follows 0 logs")
        lines = [json.loads(line) for line in watcher.said().splitlines()]
    assert {"time", "level", "logger", "message"} <= lines[0].keys()


def test_a_folder_found_by_looking_is_told(simple: Place, tmp_path: Path) -> None:
    environ = dict(simple.environ)
    del environ["WATCHER_CONTAINERS_PATH"]
    with running(environ=environ, log=tmp_path / "log") as watcher:
        watcher.wait_for("WATCHER_CONTAINERS_PATH is not set")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_and_leaves_the_files(
    simple: Place, tmp_path: Path, number: signal.Signals
) -> None:
    container = simple.add("shop-1")
    with running(environ=simple.environ, log=tmp_path / "log") as watcher:
        wait_until(lambda: str(container.log) in simple.listed())
        watcher.send(number)
        assert ends(watcher) == 0
    assert str(container.log) in simple.listed()
    assert "stopped; the configuration stays in place" in watcher.said()


def test_a_signal_in_the_middle_of_the_start_ends_it(simple: Place, tmp_path: Path) -> None:
    """The handler is there before anything large is imported."""
    with running(environ=simple.environ, log=tmp_path / "log") as watcher:
        wait_until(lambda: watcher.catches(signal.SIGTERM))
        watcher.send(signal.SIGTERM)
        assert ends(watcher) == 0
    assert "Traceback" not in watcher.said()


def slow_import(folder: Path) -> tuple[str, Path]:
    """Give a search path on which the first large import waits for a file, and that file."""
    go = folder / "go"
    (folder / "slow").mkdir()
    (folder / "slow" / "attrs.py").write_text(
        "import importlib, os, sys, time\n"
        "sys.path.remove(os.path.dirname(__file__))\n"
        f"open({str(folder / 'importing')!r}, 'w').close()\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
        "del sys.modules['attrs']\n"
        "sys.modules['attrs'] = importlib.import_module('attrs')\n"
    )
    return str(folder / "slow"), go


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_that_comes_before_anything_was_imported_is_heard(
    simple: Place, tmp_path: Path, number: signal.Signals
) -> None:
    """A node under load takes a second to import what the watcher needs."""
    path, go = slow_import(tmp_path)
    command = [sys.executable, "-c", "from kube_log_watcher_command import main; main()", "run"]
    environ = dict(simple.environ) | {"PYTHONPATH": path}
    with (tmp_path / "log").open("wb") as log, child(command, env=environ, stderr=log) as process:
        watcher = Running(process, tmp_path / "log")
        wait_until((tmp_path / "importing").exists)
        watcher.send(number)
        go.touch()
        if number == signal.SIGHUP:
            watcher.wait_for("asked to read the settings again")
            watcher.wait_for("new settings are in use")
            watcher.send(signal.SIGTERM)
        assert ends(watcher) == 0
    assert "Traceback" not in watcher.said()


def test_a_signal_ends_it_while_the_api_refuses_connections(simple: Place, tmp_path: Path) -> None:
    simple.add("shop-1")
    simple.api.stop()
    with running(environ=simple.environ, log=tmp_path / "log") as watcher:
        watcher.wait_for("The Kubernetes API can't be used for now")
        watcher.send(signal.SIGTERM)
        assert ends(watcher) == 0


def test_a_signal_ends_it_while_the_api_says_nothing(simple: Place, tmp_path: Path) -> None:
    simple.add("shop-1")
    simple.api.fail(Silent(), verb="list", times=None)
    with running(environ=simple.environ, log=tmp_path / "log") as watcher:
        wait_until(lambda: simple.api.requests)
        watcher.send(signal.SIGTERM)
        assert ends(watcher) == 0


def with_config(simple: Place, config: Path, text: str) -> dict[str, str]:
    config.write_text(text)
    environ = dict(simple.environ) | {"WATCHER_CONFIG": str(config)}
    return {name: value for name, value in environ.items() if not name.startswith("WATCHER_LISTER_FOLDER")}


def test_sighup_reads_the_settings_again(simple: Place, tmp_path: Path) -> None:
    """The file is replaced in a folder that can't be seen to change: only the signal tells."""
    config = tmp_path / "config" / "config.yaml"
    config.parent.mkdir()
    other = tmp_path / "other"
    other.mkdir()
    container = simple.add("shop-1")
    environ = with_config(simple, config, f"lister: {{folder: {simple.folder}}}\n")
    with running(environ=environ, log=tmp_path / "log") as watcher:
        wait_until(lambda: str(container.log) in simple.listed())
        watcher.send(signal.SIGHUP)
        watcher.wait_for("asked to read the settings again")
        watcher.wait_for("new settings are in use")
        replace(config, f"lister: {{folder: {other}}}\n")
        wait_until((other / "list.txt").exists)
        wait_until(lambda: str(container.log) in (other / "list.txt").read_text())
    assert str(container.log) in simple.listed()


def test_settings_that_cannot_be_used_leave_the_old_ones_at_work(simple: Place, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    environ = with_config(simple, config, f"lister: {{folder: {simple.folder}}}\n")
    with running(environ=environ, log=tmp_path / "log") as watcher:
        watcher.wait_for("follows 0 logs")
        replace(config, f"lister: {{folder: {simple.folder}}}\ninterval: soon\nnonsense: 1\n")
        watcher.wait_for("interval='soon'")
        watcher.wait_for("nonsense")
        container = simple.add("shop-1")
        wait_until(lambda: str(container.log) in simple.listed())
        assert watcher.process.poll() is None


def replace(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(text)
    os.replace(temporary, path)


def test_a_bug_ends_with_one_and_a_traceback(tmp_path: Path) -> None:
    """What nobody foresaw must not look like a mistake of the operator's."""
    agent = tmp_path / "buggy.py"
    agent.write_text(
        "import attrs\n"
        "from kube_log_watcher_core import BaseAgent\n"
        "class Buggy(BaseAgent):\n"
        "    name = 'buggy'\n"
        "    settings_class = attrs.make_class('Settings', {'x': attrs.field(factory=lambda: 1 / 0)})\n"
        "    def sync(self, targets): ...\n"
    )
    agent.chmod(0o600)
    with running(
        "-a", "buggy", "--extra-agent", str(agent), environ=clean_environ(tmp_path), log=tmp_path / "log"
    ) as watcher:
        assert watcher.process.wait(30) == 1
    assert "ZeroDivisionError" in watcher.said()
