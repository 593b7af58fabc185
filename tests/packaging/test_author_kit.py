"""What an author gets: the core and the kit, in an environment with nothing else of ours."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from documents import ROOT
from packaging_support import Built, Environment, build

pytestmark = [pytest.mark.packaging, pytest.mark.xdist_group("packaging"), pytest.mark.timeout(600)]

EXAMPLE = ROOT / "examples" / "kube_log_watcher_logtail"
PUBLIC = {"kube_log_watcher_core", "kube_log_watcher_static", "kube_log_watcher_testing"}


@pytest.fixture(scope="module")
def with_example(
    author_environment: Environment,
    built: Mapping[str, Built],
    checkout: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Environment:
    """Install the example as it would be published."""
    wheel = build(checkout / EXAMPLE.relative_to(ROOT), tmp_path_factory.mktemp("example") / "dist").wheel
    author_environment.pip("install", wheel, "--find-links", built["kube-log-watcher-static"].wheel.parent)
    return author_environment


@pytest.fixture(scope="module")
def generated(author_environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let the command write a distribution, and install that with what its tests need."""
    folder = tmp_path_factory.mktemp("generated")
    done = author_environment.run("kube-log-watcher", "new-agent", "log-list", cwd=folder)
    assert done.returncode == 0, done.stderr
    made = folder / "kube-log-watcher-log-list"
    author_environment.pip("install", f"{build(made, folder / 'dist').wheel}[test]")
    return made


def test_the_fakes_need_neither_pytest_nor_hypothesis(clean_environment: Environment) -> None:
    show = "import sys; from kube_log_watcher_testing import FakeApi; print('pytest' in sys.modules)"
    done = clean_environment.run("python", "-c", show)
    assert done.stdout == "False\n", done.stderr


def test_the_extra_brings_all_that_the_kit_needs(author_environment: Environment) -> None:
    show = "from kube_log_watcher_testing import *; print(AgentContract.__name__, strategies.__name__)"
    done = author_environment.run("python", "-c", show)
    assert done.stdout == "AgentContract kube_log_watcher_testing.strategies\n", done.stderr


def test_the_kit_has_its_names_under_the_cores_name_too(author_environment: Environment) -> None:
    show = (
        "import kube_log_watcher_core.testing as other, kube_log_watcher_testing as kit; "
        "print(other.__all__ == kit.__all__, all(getattr(other, n) is getattr(kit, n) for n in kit.__all__))"
    )
    done = author_environment.run("python", "-c", show)
    assert done.stdout == "True True\n", done.stderr


def test_a_generated_agent_is_listed(author_environment: Environment, generated: Path) -> None:
    assert generated.is_dir()
    done = author_environment.run("kube-log-watcher", "agents")
    assert re.search(r"\blog-list\b.*\bkube-log-watcher-log-list\b.*\b0\.1\.0\b", done.stdout), done.stdout
    assert "WATCHER_LOG_LIST_FOLDER" in done.stdout


def test_a_generated_agent_passes_its_tests(author_environment: Environment, generated: Path) -> None:
    done = author_environment.run("pytest", "-q", generated / "tests", cwd=generated)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^\d+ passed in", done.stdout, re.MULTILINE), done.stdout


def test_a_generated_agent_can_be_looked_at_without_a_cluster(
    author_environment: Environment, generated: Path
) -> None:
    name = generated.name.removeprefix("kube-log-watcher-")
    done = author_environment.run("kube-log-watcher", "sample", "--change", "-a", name)
    assert done.returncode == 0, done.stderr
    assert "+++ /sample/log-list/folder/logs.json" in done.stdout


def test_the_example_is_listed(with_example: Environment) -> None:
    done = with_example.run("kube-log-watcher", "agents")
    assert re.search(r"\blogtail\b.*\bkube-log-watcher-logtail\b.*\b0\.1\.0\b", done.stdout), done.stdout


def test_the_example_passes_its_tests(with_example: Environment) -> None:
    """The contract, and the watcher as a process with the agent in it, beside the real shipper."""
    if shutil.which("logtail", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("Debian's logtail is not installed")
    scratch = with_example.home / "scratch"
    done = with_example.run(
        "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={scratch}", EXAMPLE / "tests"
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"^\d+ passed in", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("path", sorted(EXAMPLE.rglob("*.py")), ids=lambda path: path.name)
def test_the_example_needs_nothing_that_is_not_public(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules = plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    ours = {module for module in modules if module.startswith("kube_log_watcher")}
    assert ours <= {*PUBLIC, EXAMPLE.name}


def test_the_example_is_short() -> None:
    """Imports, blank lines and docstrings aside."""
    text = (EXAMPLE / "src" / EXAMPLE.name / "__init__.py").read_text()
    code = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in code if not line.startswith(("import ", "from ", '"""', "#"))]
    assert len(lines) <= 30
