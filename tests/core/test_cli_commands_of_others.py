"""Commands of other distributions: found by entry points; a broken one keeps nothing from working."""

from __future__ import annotations

import subprocess
from pathlib import Path

import attrs
import pytest

from cli_support import clean_environ, run_cli

TIDY = """
import click

print("imported")

@click.command(short_help="Tidy up.")
@click.option("--twice", is_flag=True)
def command(twice):
    click.echo(f"tidied {'twice' if twice else 'once'}")
"""
CONFIGURATION = 78


@attrs.frozen
class Site:
    """A folder of installed distributions that the program sees."""

    folder: Path

    def install(self, distribution: str, *, code: str = TIDY, name: str = "tidy") -> None:
        """Install a distribution with one command, as an installer leaves it."""
        module = distribution.replace("-", "_")
        (self.folder / f"{module}.py").write_text(code)
        info = self.folder / f"{module}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[kube_log_watcher.commands]\n{name} = {module}:command\n")

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the program where this is installed."""
        folder = str(self.folder)
        environ = clean_environ(self.folder, PYTHONPATH=folder, XDG_CACHE_HOME=folder, **variables)
        return run_cli(*arguments, environ=environ)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_command_is_called_with_its_options(site: Site) -> None:
    site.install("my-commands")
    done = site.run("tidy", "--twice")
    assert (done.returncode, done.stdout) == (0, "imported\ntidied twice\n")


def test_help_lists_it_with_where_it_comes_from_and_imports_nothing(site: Site) -> None:
    site.install("my-commands")
    shown = site.run("--help").stdout
    assert "\n  tidy        A command of my-commands 1.5.\n" in shown
    assert "imported" not in shown


def test_other_commands_import_nothing_of_it(site: Site) -> None:
    site.install("my-commands")
    done = site.run("agents")
    assert done.returncode == 0
    assert "imported" not in done.stdout


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nothing_of_that_name", "can't be imported: ModuleNotFoundError"),
        ("raise SystemExit('bye')", "can't be imported: SystemExit: bye"),
        ("x = (", "can't be imported: SyntaxError"),
        ("other = 1", "can't be imported: AttributeError"),
        ("command = 5", "is no click command: 5"),
    ],
)
def test_a_broken_one_is_named_and_the_rest_works(site: Site, code: str, reason: str) -> None:
    site.install("my-commands", code=code)
    called = site.run("tidy")
    assert called.returncode == CONFIGURATION
    assert called.stderr.startswith(f"kube-log-watcher: command 'tidy' of my-commands 1.5 {reason}")
    assert site.run("tidy", "--help").returncode == CONFIGURATION
    shown = site.run("--help")
    assert shown.returncode == 0
    assert "\n  tidy  " in shown.stdout
    assert "\n  demo        Show it" in shown.stdout
    assert site.run("demo", "--help").returncode == 0


def test_one_name_of_two_distributions_names_both(site: Site) -> None:
    site.install("my-commands")
    site.install("your-commands")
    done = site.run("tidy")
    assert done.returncode == CONFIGURATION
    assert "is offered by my-commands 1.5 and by your-commands 1.5: uninstall one" in done.stderr
    assert "imported" not in done.stdout


def test_the_programs_own_commands_can_not_be_replaced(site: Site) -> None:
    site.install("my-commands", name="agents")
    assert "tidied" not in site.run("agents").stdout
    assert "Not used: 'agents' of my-commands 1.5" in site.run("--help").stdout


def test_completion_knows_it_and_imports_nothing(site: Site) -> None:
    site.install("my-commands")
    site.install("broken-commands", name="tidy-up", code="1 / 0")
    asked = {
        "_KUBE_LOG_WATCHER_COMPLETE": "bash_complete",
        "COMP_WORDS": "kube-log-watcher ti",
        "COMP_CWORD": "1",
    }
    done = site.run(**asked)
    assert [line for line in done.stdout.splitlines() if "," in line] == ["plain,tidy", "plain,tidy-up"]
