"""What an author of agents sees of the types, with the strictest settings of two checkers, none of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from documents import ROOT, code_blocks, readme_agent

EXAMPLE = ROOT / "examples" / "kube_log_watcher_logtail"
MISTAKES = {
    "the targets are targets": ("target.application}", "target.aplication}"),
    "render gives files or links": ("list[File]:", "list[str]:"),
    "settings have the agent's own type": ("self.settings.folder", "self.settings.directory"),
    "a kind of setting has a type": ("folder: Path", "folder: int"),
}
CONTRACT = '''
"""An author's test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from kube_log_watcher_core import LogTarget, NodeContext
from kube_log_watcher_testing import (
    AgentContract,
    FakeApi,
    FakeNode,
    MakeAgent,
    WatcherProcess,
    hostile,
    make_container,
    make_target,
    strategies,
)
from list_agent import ListAgent, ListSettings


class TestListAgent(AgentContract):
    no_read_back = "nobody reads it"

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        return lambda folder: ListAgent(ListSettings(folder=folder), NodeContext())

    def observe(self, folder: Path) -> Mapping[str, object]:
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def name_of(self, target: LogTarget) -> str:
        return target.id


def surroundings(node: FakeNode, api: FakeApi) -> WatcherProcess:
    return WatcherProcess(node, api, environ={"WATCHER_AGENTS": "list"})


def texts() -> tuple[str, ...]:
    return hostile.TEXTS


TARGET: LogTarget = make_target(make_container(2), labels={"application": "shop"})
TARGETS = strategies.targets()
'''

Check = Callable[[Path], subprocess.CompletedProcess[str]]


def mypy(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check a folder that lies outside of the checkout."""
    cache = ("--cache-dir", str(folder / ".cache"))
    return run(folder, "mypy", "--strict", "--config-file=", *cache, ".")


def pyright(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check such a folder; without a network, and with all that pyright knows to find fault with."""
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    return run(folder, "pyright", "--pythonpath", sys.executable, ".")


def run(folder: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    pytest.importorskip(module, reason=f"{module} is not installed")
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


both = pytest.mark.parametrize("check", [mypy, pyright])


def write(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    return folder


@pytest.mark.long
@both
def test_all_that_authors_are_shown_is_free_of_type_errors(tmp_path: Path, check: Check) -> None:
    """The README's agent and a test of it, the guide's without files, and the example with its tests."""
    (socket_agent,) = code_blocks(ROOT / "docs" / "how-to" / "write-an-agent.rst", "python")
    example = {path.stem: path.read_text() for path in (EXAMPLE / "tests").glob("*.py")}
    example[EXAMPLE.name] = (EXAMPLE / "src" / EXAMPLE.name / "__init__.py").read_text()
    write(tmp_path, list_agent=readme_agent(), test_list_agent=CONTRACT, socket_agent=socket_agent)
    write(
        tmp_path,
        test_other_name=CONTRACT.replace("kube_log_watcher_testing", "kube_log_watcher_core.testing"),
    )
    done = check(write(tmp_path, **example))
    assert done.returncode == 0, done.stdout


@both
def test_an_authors_mistakes_are_found(tmp_path: Path, check: Check) -> None:
    """Types that take anything would pass the test above as well."""
    for number, (right, wrong) in enumerate(MISTAKES.values()):
        assert right in readme_agent()
        write(tmp_path, **{f"mistake_{number}": readme_agent().replace(right, wrong)})
    done = check(tmp_path)
    assert done.returncode == 1, done.stdout
    faulty = {name for number, name in enumerate(MISTAKES) if f"mistake_{number}.py:" in done.stdout}
    assert faulty == MISTAKES.keys(), done.stdout
