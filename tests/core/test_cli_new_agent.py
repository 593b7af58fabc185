"""``new-agent``: what it writes is an agent that works."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import docutils.core
import docutils.utils
import pytest

from cli_support import clean_environ, run_cli
from kube_log_watcher_testing.new_agent.names import Names, compatible_with, is_good_name

USAGE = 2


def new_agent(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_cli("new-agent", *arguments, environ=clean_environ(tmp_path), cwd=tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a distribution in a folder of its name."""
    folder = tmp_path_factory.mktemp("made")
    done = new_agent(folder, "log-list")
    assert done.returncode == 0, done.stderr
    assert "pip install -e 'kube-log-watcher-log-list[test]'" in done.stdout
    return folder / "kube-log-watcher-log-list"


def in_it(made: Path, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment where the new package can be imported."""
    variables = {"PYTHONPATH": str(made / "src"), "MYPYPATH": str(made / "src"), **variables}
    return subprocess.run(
        [sys.executable, "-m", *command],
        env={**clean_environ(made.parent), **variables},
        cwd=made,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


def test_it_names_everything_for_the_agent(made: Path) -> None:
    files = {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()}
    assert files == {
        "pyproject.toml",
        "README.rst",
        "src/kube_log_watcher_log_list/__init__.py",
        "src/kube_log_watcher_log_list/py.typed",
        "tests/test_contract.py",
    }
    project = tomllib.loads((made / "pyproject.toml").read_text())["project"]
    assert project["name"] == "kube-log-watcher-log-list"
    assert project["entry-points"]["kube_log_watcher.agents"] == {
        "log-list": "kube_log_watcher_log_list:LogListAgent"
    }
    assert "kube-log-watcher-core~=0.1.0" in project["dependencies"]
    assert project["optional-dependencies"]["test"] == ["kube-log-watcher-testing[contract]~=0.1.0"]


def test_it_passes_the_contract(made: Path, tmp_path: Path) -> None:
    done = in_it(made, "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'scratch'}")
    assert done.returncode == 0, done.stdout
    assert " skipped" not in done.stdout


def test_it_is_strictly_typed(made: Path, tmp_path: Path) -> None:
    done = in_it(made, "mypy", "--strict", "--config-file=", "--cache-dir", str(tmp_path), "src", "tests")
    assert done.returncode == 0, done.stdout


def test_its_readme_renders(made: Path) -> None:
    overrides = {"halt_level": docutils.utils.Reporter.WARNING_LEVEL, "syntax_highlight": "short"}
    text = (made / "README.rst").read_text()
    assert "WATCHER_LOG_LIST_FOLDER" in text
    assert docutils.core.publish_parts(text, writer="html5", settings_overrides=overrides)["body"]


@pytest.mark.parametrize(
    "name", ["", "Vector", "9lives", "a_b", "a--b", "-a", "a-", "a/b", "../x", "x" * 41, "$a"]
)
def test_a_name_that_can_not_be_one_is_refused(tmp_path: Path, name: str) -> None:
    assert not is_good_name(name)
    done = new_agent(tmp_path, "--", name)
    assert done.returncode == USAGE
    assert "lower-case letters and digits" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    done = new_agent(tmp_path, "symlinker")
    assert done.returncode == USAGE
    assert "'symlinker' is what the agent of kube-log-watcher-symlinker" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pyproject.toml").write_text("mine")
    done = new_agent(tmp_path, "lines", "--dir", "mine")
    assert done.returncode == USAGE
    assert "mine is not empty" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["pyproject.toml"]


def test_an_empty_folder_may_be_there_already(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert new_agent(tmp_path, "lines", "--dir", "mine").returncode == 0
    assert os.listdir(tmp_path / "mine" / "src") == ["kube_log_watcher_lines"]


@pytest.mark.parametrize(
    ("name", "title"), [("vector", "Vector"), ("log-list", "LogList"), ("my-agent", "My"), ("agent", "Agent")]
)
def test_a_class_is_named_as_people_would(name: str, title: str) -> None:
    assert Names(name, core="1.0").title == title


@pytest.mark.parametrize(
    ("version", "compatible"),
    [("0.1.0", "0.1.0"), ("0.3.2.dev1+g12", "0.3.2"), ("1.4.2", "1.4"), ("2.0.0rc1", "2.0"), ("3", "3.0")],
)
def test_it_asks_for_a_core_that_keeps_its_promises(version: str, compatible: str) -> None:
    """Up to the next major version, below 1.0 up to the next minor one."""
    assert compatible_with(version) == compatible
