"""What the command line tells of itself."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli_support import clean_environ, run_cli
from kube_log_watcher_core.settings import WatcherSettings, fields_of

OWN = ("run", "init", "explain", "status", "once", "check", "agents", "completion")
KIT = ("demo", "new-agent", "sample")


def test_help_names_every_command_on_one_screen(tmp_path: Path) -> None:
    shown = run_cli("--help", environ=clean_environ(tmp_path))
    assert shown.returncode == 0
    assert [name for name in (*OWN, *KIT) if f"\n  {name} " not in shown.stdout] == []
    assert len(shown.stdout.splitlines()) <= 24


@pytest.mark.parametrize("command", ["run", "init", "explain", "status", "once", "check", "agents"])
def test_the_help_of_a_command_names_every_setting_with_its_variable(tmp_path: Path, command: str) -> None:
    shown = run_cli(command, "--help", environ=clean_environ(tmp_path, COLUMNS="200")).stdout
    for field in fields_of(WatcherSettings):
        assert field.option in shown
        assert field.variable in shown
    assert "--config" in shown
    assert "--set" in shown


def test_help_tells_defaults(tmp_path: Path) -> None:
    shown = " ".join(run_cli("run", "--help", environ=clean_environ(tmp_path)).stdout.split())
    assert "[WATCHER_INTERVAL; 0.1 to 604800; default 60]" in shown
    assert "[WATCHER_STRICT_LABELS; default application,version]" in shown


def test_no_setting_is_left_out_of_the_groups(tmp_path: Path) -> None:
    """Else it would stand among the command's own options."""
    own = run_cli("run", "--help", environ=clean_environ(tmp_path)).stdout
    first = own.partition("Options:\n")[2].partition("\n\n")[0]
    assert first.strip() == "--help  Show this message and exit."


def test_version_is_that_of_the_distribution(tmp_path: Path) -> None:
    shown = run_cli("--version", environ=clean_environ(tmp_path))
    version = importlib.metadata.version("kube-log-watcher-core")
    assert (shown.returncode, shown.stdout) == (0, f"kube-log-watcher {version}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["unheard-of"], "No such command 'unheard-of'"),
        (["run", "--agent", "x"], "No such option"),
        (["--set", "nothing"], "expected AGENT.NAME=VALUE"),
        (["once", "--timeout", "soon"], "'soon' is not a valid float"),
        (["completion", "csh"], "'csh' is not one of"),
        (["run", "extra"], "unexpected extra argument"),
    ],
)
def test_a_wrong_command_line_ends_with_two(tmp_path: Path, arguments: list[str], message: str) -> None:
    shown = run_cli(*arguments, environ=clean_environ(tmp_path))
    assert shown.returncode == 2
    assert message in shown.stderr
    assert "Traceback" not in shown.stderr


def test_an_assignment_that_is_none_does_not_repeat_its_value(tmp_path: Path) -> None:
    shown = run_cli("--set", "scalyrkey=hunter2", environ=clean_environ(tmp_path))
    assert shown.returncode == 2
    assert "scalyrkey" in shown.stderr
    assert "hunter2" not in shown.stderr


def loaded(tmp_path: Path, *commands: str, of: set[str]) -> list[str]:
    """Import the program and some of its commands; give which of these modules came with them."""
    modules = ", ".join(f"kube_log_watcher_core.cli.{name}" for name in ("app", *commands))
    shown = subprocess.run(
        [sys.executable, "-c", f"import json, sys, {modules}; print(json.dumps(list(sys.modules)))"],
        env=clean_environ(tmp_path),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return sorted(of & set(json.loads(shown.stdout)))


def test_the_daemon_loads_nothing_that_only_people_need(tmp_path: Path) -> None:
    only_people = {"rich", "kube_log_watcher_testing", "pythonjsonlogger", "kube_log_watcher_core.cli.status"}
    assert loaded(tmp_path, "run", of=only_people) == []


def test_what_does_not_ask_the_api_loads_nothing_that_speaks_http(tmp_path: Path) -> None:
    commands = ("agents", "completion", "explain", "init", "status")
    assert loaded(tmp_path, *commands, of={"requests", "ssl", "urllib3", "yaml"}) == []
    assert loaded(tmp_path, "once", of={"requests"}) == ["requests"]
