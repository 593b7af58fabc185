"""Agents are found by name in what is installed and in files; what is wrong with one is said by name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from cli_support import clean_environ, write_lister
from kube_log_watcher_core.errors import AgentConflict, AgentLoadError, AgentNotFound, NotAnAgent, PluginError
from kube_log_watcher_core.plugins import Offer, agent_in_file, load_agent, offers_with_files

GOOD = """
import attrs
from kube_log_watcher_core import BaseAgent

class Agent(BaseAgent):
    settings_class = attrs.make_class("Settings", [])
    def sync(self, targets): ...
"""


@attrs.frozen
class Site:
    """A folder of installed distributions, for a Python of its own."""

    folder: Path

    def install(self, distribution: str, *, code: str = GOOD, name: str = "good", at: str = "Agent") -> None:
        """Install a distribution with one module and one agent, as an installer leaves it."""
        module = distribution.replace("-", "_")
        (self.folder / f"{module}.py").write_text(code)
        info = self.folder / f"{module}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[kube_log_watcher.agents]\n{name} = {module}:{at}\n")

    def load(self, name: str) -> str:
        """Load an agent; give its class's name, or the error's with its message."""
        return self.python(
            "from kube_log_watcher_core.errors import PluginError\n"
            "from kube_log_watcher_core.plugins import installed, load_agent\n"
            "try:\n"
            f"    print(load_agent({name!r}, installed()).__name__)\n"
            "except PluginError as error:\n"
            "    print(type(error).__name__, error)\n"
        )

    def python(self, code: str) -> str:
        """Run code where this is installed."""
        environ = clean_environ(self.folder, PYTHONPATH=str(self.folder), XDG_CACHE_HOME=str(self.folder))
        done = subprocess.run(
            [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stderr == ""
        return done.stdout.strip()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


class TestInstalled:
    def test_an_agent_of_a_distribution_is_found_by_its_name_in_any_case(self, site: Site) -> None:
        site.install("my-agents", name="Good")
        assert site.load("good") == "Agent"
        assert site.load("GOOD") == "Agent"

    def test_listing_imports_nothing(self, site: Site) -> None:
        site.install("my-agents", code="raise SystemExit('imported')")
        code = (
            "from kube_log_watcher_core.plugins import installed\n"
            "print([str(offer) for offer in installed() if offer.name == 'good'])"
        )
        assert site.python(code) == "['my-agents 1.5']"

    def test_an_unknown_name_tells_what_is_installed(self, site: Site) -> None:
        site.install("my-agents")
        said = site.load("goood")
        assert said.startswith("AgentNotFound there is no agent 'goood'; installed: ")
        assert "good" in said.partition("installed: ")[2].split(", ")

    def test_a_name_that_two_distributions_offer_names_both(self, site: Site) -> None:
        site.install("my-agents", name="good")
        site.install("your-agents", name="Good")
        assert site.load("good") == (
            "AgentConflict agent 'good' is offered by my-agents 1.5 and by your-agents 1.5: uninstall one"
        )

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
            ("1 / 0", "ZeroDivisionError: division by zero"),
            ("raise SystemExit('bye')", "SystemExit: bye"),
            ("x = (", "SyntaxError"),
            ("Other = 1", "has no attribute 'Agent'"),
        ],
    )
    def test_an_agent_that_cannot_be_imported_names_its_distribution(
        self, site: Site, code: str, reason: str
    ) -> None:
        site.install("my-agents", code=code)
        said = site.load("good")
        assert said.startswith("AgentLoadError agent 'good' of my-agents 1.5 can't be imported: ")
        assert reason in said

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            ("Agent = 5", "5 is no subclass of BaseAgent"),
            ("class Agent: ...", "is no subclass of BaseAgent"),
            ("from kube_log_watcher_core import BaseAgent\ndef Agent(): ...", "is no subclass of BaseAgent"),
            (GOOD.replace("    def sync(self, targets): ...\n", ""), "Agent lacks the methods sync"),
            (GOOD.replace('attrs.make_class("Settings", [])', "dict"), "must be an attrs class of settings"),
            ("from kube_log_watcher_core import BaseAgent as Agent", "must be an attrs class of settings"),
        ],
    )
    def test_what_is_no_agent_is_refused(self, site: Site, code: str, reason: str) -> None:
        site.install("my-agents", code=code)
        said = site.load("good")
        assert said.startswith("NotAnAgent my-agents 1.5: ")
        assert reason in said


class TestFiles:
    def refused(self, path: Path, error: type[PluginError]) -> str:
        with pytest.raises(error) as caught:
            agent_in_file(path)
        assert str(path) in str(caught.value)
        return str(caught.value)

    def written(self, folder: Path, code: str) -> Path:
        path = folder / "agent.py"
        path.write_text(code)
        path.chmod(0o644)
        return path

    def test_an_agent_is_loaded_under_its_name(self, tmp_path: Path) -> None:
        path = write_lister(tmp_path)
        offers, failures = offers_with_files([path], [])
        assert failures == []
        assert offers == (Offer(name="lister", origin=str(path), file=path),)
        assert load_agent("Lister", offers).name == "lister"

    def test_the_same_file_gives_the_same_class_until_it_changes(self, tmp_path: Path) -> None:
        path = write_lister(tmp_path)
        first = agent_in_file(path)
        assert agent_in_file(path) is first
        path.write_text(path.read_text() + "\n# changed\n")
        assert agent_in_file(path) is not first

    def test_a_class_that_is_only_imported_does_not_count(self, tmp_path: Path) -> None:
        code = (
            GOOD.replace("class Agent(BaseAgent):", 'class Agent(BaseAgent):\n    name = "mine"')
            + "\nfrom kube_log_watcher_core import FileAgent\n"
        )
        assert agent_in_file(self.written(tmp_path, code)).name == "mine"

    @pytest.mark.parametrize(
        "change",
        [lambda path: path.chmod(0o664), lambda path: path.chmod(0o602)],
        ids=["by its group", "by others"],
    )
    def test_a_file_that_others_can_write_is_refused(
        self, tmp_path: Path, change: Callable[[Path], None]
    ) -> None:
        path = write_lister(tmp_path)
        change(path)
        assert f"chmod go-w {path}" in self.refused(path, AgentLoadError)

    def test_a_file_that_is_none_is_refused(self, tmp_path: Path) -> None:
        assert "is no regular file" in self.refused(tmp_path, AgentLoadError)
        assert "No such file" in self.refused(tmp_path / "missing.py", AgentLoadError)
        other = tmp_path / "agent.txt"
        other.write_text(GOOD)
        other.chmod(0o644)
        assert "must end in .py" in self.refused(other, AgentLoadError)

    def test_a_file_that_breaks_is_refused_and_can_be_repaired(self, tmp_path: Path) -> None:
        path = self.written(tmp_path, "1 / 0")
        assert "ZeroDivisionError" in self.refused(path, AgentLoadError)
        path.write_text(GOOD.replace("class Agent(BaseAgent):", 'class Agent(BaseAgent):\n    name = "x"'))
        assert agent_in_file(path).name == "x"

    @pytest.mark.parametrize("names", [[], ["a", "b"]])
    def test_a_file_must_define_exactly_one_agent_with_a_name(self, tmp_path: Path, names: list[str]) -> None:
        code = "\n".join(
            GOOD.replace("class Agent(BaseAgent):", f"class {name}(BaseAgent):\n    name = {name!r}")
            for name in names
        )
        said = self.refused(self.written(tmp_path, code), NotAnAgent)
        assert f"it defines {len(names)}" in said

    def test_a_file_cannot_take_the_name_of_an_installed_agent(self, tmp_path: Path) -> None:
        path = write_lister(tmp_path)
        offers, _ = offers_with_files([path], [Offer("lister", "somebody's-agents", "2.0", "lister")])
        with pytest.raises(AgentConflict, match=r"somebody's-agents 2\.0 and by .*lister\.py"):
            load_agent("lister", offers)

    def test_one_bad_file_does_not_hide_the_others(self, tmp_path: Path) -> None:
        path = write_lister(tmp_path)
        offers, failures = offers_with_files([tmp_path / "missing.py", path], [])
        assert [offer.name for offer in offers] == ["lister"]
        assert [failed for failed, _ in failures] == [tmp_path / "missing.py"]


def test_without_any_agent_that_is_said() -> None:
    with pytest.raises(AgentNotFound, match="installed: none"):
        load_agent("x", [])
