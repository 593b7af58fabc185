"""What users get: all wheels in an environment with nothing else, and agents that others make."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from documents import ROOT, code_blocks, readme_agent
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_api import FakeApi, pod_object
from kube_log_watcher_testing.fake_node import FakeNode
from packaging_support import AGENTS, Built, Environment, build, call

pytestmark = [pytest.mark.packaging, pytest.mark.xdist_group("packaging"), pytest.mark.timeout(600)]

COMMANDS = ("run", "init", "once", "check", "agents", "completion", "demo", "new-agent", "sample")
USAGE, CONFIGURATION = 2, 78


def write_distribution(folder: Path, *, name: str, agent: str, module: str) -> Path:
    """Write the README's distribution under another name, with a module of one's own."""
    (pyproject,) = code_blocks(ROOT / "README.rst", "toml")
    folder.mkdir()
    pyproject = pyproject.replace('"my-list-agent"', f'"{name}"').replace("list = ", f"{agent} = ")
    (folder / "pyproject.toml").write_text(pyproject)
    (folder / "list_agent.py").write_text(module)
    return folder


@pytest.fixture(scope="class")
def as_on_a_node(built: Mapping[str, Built], clean_environment: Environment) -> Iterator[Environment]:
    """Leave out what no node needs."""
    clean_environment.pip("uninstall", "--yes", "kube-log-watcher-testing")
    yield clean_environment
    clean_environment.pip("install", "--no-deps", built["kube-log-watcher-testing"].wheel)


@pytest.fixture(scope="class")
def with_readme_agent(
    clean_environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Environment]:
    """Install the README's agent as an author would publish it: built, then installed from its wheel."""
    folder = tmp_path_factory.mktemp("readme")
    source = write_distribution(folder / "source", name="my-list-agent", agent="list", module=readme_agent())
    clean_environment.pip("install", build(source, folder / "dist").wheel)
    yield clean_environment
    clean_environment.pip("uninstall", "--yes", "my-list-agent")


def beside(folder: Path, *, name: str, agent: str, module: str) -> dict[str, str]:
    """Install a distribution beside an environment; gives the variable that makes it seen there."""
    folder.mkdir(exist_ok=True)
    source = write_distribution(folder / f"source-{name}", name=name, agent=agent, module=module)
    command = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation")
    call([*command, "--target", folder / name, source], cwd=folder)
    return {"PYTHONPATH": str(folder / name)}


def refusal(environment: Environment, variables: Mapping[str, str]) -> str:
    """Give what the program says when it refuses a configuration."""
    done = environment.run("kube-log-watcher", "run", environ=variables)
    assert done.returncode == CONFIGURATION, done.stderr
    return done.stderr


def test_the_command_tells_its_version(clean_environment: Environment) -> None:
    by_script = clean_environment.run("kube-log-watcher", "--version")
    by_module = clean_environment.run("python", "-m", "kube_log_watcher_core", "--version")
    assert by_script.stdout == by_module.stdout == "kube-log-watcher 0.1.0\n"


def test_every_command_is_in_the_help(clean_environment: Environment) -> None:
    shown = clean_environment.run("kube-log-watcher", "--help").stdout
    assert [command for command in COMMANDS if f"\n  {command} " not in shown] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(clean_environment: Environment, command: str) -> None:
    done = clean_environment.run("kube-log-watcher", command, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: kube-log-watcher {command} ")


def test_nothing_of_the_tests_is_installed(clean_environment: Environment) -> None:
    """The demo does without pytest."""
    done = clean_environment.run("python", "-c", "import pytest")
    assert "No module named 'pytest'" in done.stderr


class TestOnANode:
    def test_a_node_does_without_the_kit_and_says_how_to_get_it(self, as_on_a_node: Environment) -> None:
        shown = as_on_a_node.run("kube-log-watcher", "--help").stdout
        assert "Not installed: demo, new-agent, sample; pip install 'kube-log-watcher[demo]'" in shown
        assert "\n  demo " not in shown
        assert as_on_a_node.run("kube-log-watcher", "agents").returncode == 0
        for arguments in (["demo"], ["new-agent", "--help"], ["once", "--dry-run", "--sample"]):
            done = as_on_a_node.run("kube-log-watcher", *arguments)
            assert done.returncode == USAGE
            assert "kube-log-watcher-testing, which is not installed: pip install" in done.stderr

    def test_the_kits_other_name_tells_how_to_get_it(self, as_on_a_node: Environment) -> None:
        done = as_on_a_node.run("python", "-c", "import kube_log_watcher_core.testing")
        assert "pip install 'kube-log-watcher-core[testing]'" in done.stderr


def test_without_pytest_the_contract_tells_how_to_get_it(clean_environment: Environment) -> None:
    done = clean_environment.run("python", "-c", "from kube_log_watcher_testing import AgentContract")
    assert "pip install 'kube-log-watcher-testing[contract]'" in done.stderr


def test_the_installed_package_is_the_one_that_counts_inside_a_checkout(
    clean_environment: Environment, checkout: Path
) -> None:
    show = "import kube_log_watcher_core as core; print(core.__file__)"
    done = clean_environment.run("python", "-c", show, cwd=checkout)
    assert str(clean_environment.folder) in done.stdout, done.stderr


def test_a_checkout_alone_gives_no_agent(clean_environment: Environment, checkout: Path) -> None:
    """Without an installation the folder is an empty namespace at most, and says so at the first name."""
    bare = ("python", "-S", "-c", "from kube_log_watcher_core import BaseAgent")
    done = clean_environment.run(*bare, cwd=checkout)
    assert "ImportError: cannot import name 'BaseAgent'" in done.stderr


def test_the_built_in_agents_are_listed(clean_environment: Environment) -> None:
    done = clean_environment.run("kube-log-watcher", "agents")
    assert done.returncode == 0, done.stderr
    for agent in AGENTS:
        assert re.search(rf"\b{agent}\b.*\bkube-log-watcher-{agent}\b.*\b0\.1\.0\b", done.stdout), done.stdout
    assert "WATCHER_SCALYR_DEST_PATH" in done.stdout


class TestAnAuthorsAgent:
    def test_an_authors_agent_is_listed_beside_them(self, with_readme_agent: Environment) -> None:
        done = with_readme_agent.run("kube-log-watcher", "agents")
        assert re.search(r"\blist\b.*\bmy-list-agent\b.*\b1\.0\b", done.stdout), done.stdout
        assert "WATCHER_LIST_FOLDER" in done.stdout

    def test_an_authors_agent_is_found_by_name_and_works(
        self, with_readme_agent: Environment, tmp_path: Path
    ) -> None:
        node = FakeNode(tmp_path / "node", Layout.CRI)
        container = node.add(pod="shop-1")
        (tmp_path / "list").mkdir()
        with FakeApi() as api:
            api.add(pod_object("shop-1", uid=container.uid, labels={"application": "shop", "version": "1"}))
            done = with_readme_agent.run(
                "kube-log-watcher", "once", environ=surroundings(node, api, tmp_path)
            )
        assert done.returncode == 0, done.stderr
        logs = json.loads((tmp_path / "list" / "logs.json").read_text())
        assert logs == [{"path": str(container.log.resolve()), "app": "shop"}]


def surroundings(node: FakeNode, api: FakeApi, folder: Path) -> dict[str, str]:
    return {
        "WATCHER_AGENTS": "List",
        "WATCHER_LIST_FOLDER": str(folder / "list"),
        "WATCHER_CONTAINERS_PATH": str(node.containers_path),
        "WATCHER_KUBE_URL": api.url,
        "CLUSTER_NODE_NAME": "node-1",
    }


def test_the_readmes_agent_also_works_as_a_file(clean_environment: Environment, tmp_path: Path) -> None:
    node = FakeNode(tmp_path / "node", Layout.DOCKER)
    container = node.add(pod="shop-1")
    (tmp_path / "list").mkdir()
    file = tmp_path / "list_agent.py"
    file.write_text(readme_agent())
    file.chmod(0o644)
    with FakeApi() as api:
        api.add(pod_object("shop-1", uid=container.uid, labels={"application": "shop", "version": "1"}))
        variables = surroundings(node, api, tmp_path)
        done = clean_environment.run("kube-log-watcher", "--extra-agent", file, "once", environ=variables)
    assert done.returncode == 0, done.stderr
    assert "shop" in (tmp_path / "list" / "logs.json").read_text()


def test_an_unknown_agent_is_refused_with_the_names_of_those_that_are_there(
    clean_environment: Environment,
) -> None:
    said = refusal(clean_environment, {"WATCHER_AGENTS": "scalir"})
    assert "'scalir'" in said
    assert f"installed: {', '.join(sorted(AGENTS))}" in said


def test_two_agents_of_one_name_are_refused_with_both_distributions(
    clean_environment: Environment, tmp_path: Path
) -> None:
    variables = beside(tmp_path, name="twin", agent="Scalyr", module=readme_agent())
    said = refusal(clean_environment, {**variables, "WATCHER_AGENTS": "scalyr"})
    assert "kube-log-watcher-scalyr 0.1.0" in said
    assert "twin 1.0" in said


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("import not_there\n", "No module named 'not_there'"),
        ("ListAgent = print\n", "is no subclass of BaseAgent"),
        ("x = 1\n", "has no attribute 'ListAgent'"),
    ],
)
def test_a_broken_agent_is_refused_with_its_distribution_and_the_reason(
    clean_environment: Environment, tmp_path: Path, module: str, expected: str
) -> None:
    variables = beside(tmp_path, name="broken", agent="broken", module=module)
    said = refusal(clean_environment, {**variables, "WATCHER_AGENTS": "broken"})
    assert "broken 1.0" in said
    assert expected in said


def test_a_broken_agent_that_nobody_asks_for_does_no_harm(
    clean_environment: Environment, tmp_path: Path
) -> None:
    variables = beside(tmp_path, name="broken", agent="broken", module="import not_there\n")
    done = clean_environment.run("kube-log-watcher", "agents", environ=variables)
    assert done.returncode == 0, done.stderr
    assert "not_there" in done.stdout
    assert "kube-log-watcher-scalyr" in done.stdout


def test_the_demo_runs_where_nothing_else_is_installed(
    built: Mapping[str, Built], clean_environment: Environment
) -> None:
    """What `make demo` shows needs no cluster, no Docker and none of the tests' tools."""
    assert built
    done = clean_environment.run("kube-log-watcher", "demo")
    assert done.returncode == 0, done.stderr
