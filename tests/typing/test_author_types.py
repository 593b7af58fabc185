"""What an author of agents sees of the types, with mypy's strictest settings and none of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from documents import readme_agent

MISTAKES = {
    "the targets are targets": ("target.application}", "target.aplication}"),
    "render gives files or links": ("list[File]:", "list[str]:"),
    "settings have the agent's own type": ("self.settings.folder", "self.settings.directory"),
    "a kind of setting has a type": ("folder: Path", "folder: int"),
}


def mypy(module: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Check a module that lies outside of the checkout."""
    (folder / "list_agent.py").write_text(module)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        "--cache-dir",
        str(folder / "cache"),
    ]
    return subprocess.run(
        [*command, "list_agent.py"], cwd=folder, capture_output=True, text=True, check=False, timeout=110
    )


def test_the_readmes_agent_is_free_of_type_errors(tmp_path: Path) -> None:
    done = mypy(readme_agent(), tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("right", "wrong"), MISTAKES.values(), ids=MISTAKES.keys())
def test_an_authors_mistake_is_found(tmp_path: Path, right: str, wrong: str) -> None:
    """Types that take anything would pass the test above as well."""
    assert right in readme_agent()
    done = mypy(readme_agent().replace(right, wrong), tmp_path)
    assert done.returncode == 1, done.stdout
