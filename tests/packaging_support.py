"""Distributions as they are built, and an environment in which nothing but them is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import attrs
import pytest
from build import ProjectBuilder
from pyproject_hooks import quiet_subprocess_runner

from documents import ROOT

FOLDERS = {
    "kube-log-watcher": ".",
    **{
        path.parent.name.replace("_", "-"): path.parent.name
        for path in sorted(ROOT.glob("kube_log_watcher_*/pyproject.toml"))
    },
}
"""Where each distribution lies."""

AGENTS = {
    agent: found
    for path in sorted(ROOT.glob("kube_log_watcher_*/pyproject.toml"))
    for agent, found in tomllib.loads(path.read_text())["project"]
    .get("entry-points", {})
    .get("kube_log_watcher.agents", {})
    .items()
}
"""The built-in agents, each with where it is found: module and class."""


@attrs.frozen
class Built:
    """What was built of one distribution."""

    sdist: Path
    wheel: Path


@attrs.frozen
class Environment:
    """A virtual environment, and a folder of its own for what programs keep."""

    folder: Path
    home: Path

    @property
    def python(self) -> Path:
        """The interpreter."""
        return self.folder / "bin" / "python"

    @classmethod
    def made(cls, name: str, tmp_path_factory: pytest.TempPathFactory) -> Self:
        """Make one in which nothing is installed."""
        environment = cls(tmp_path_factory.mktemp(name), tmp_path_factory.mktemp(f"{name}-home"))
        call([sys.executable, "-m", "venv", "--without-pip", environment.folder], cwd=environment.home)
        return environment

    def pip(self, *arguments: str | Path) -> None:
        """Let the pip of the tests work on this environment."""
        call([sys.executable, "-m", "pip", "--python", self.python, "--quiet", *arguments], cwd=self.home)

    def run(
        self, *arguments: str | Path, environ: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment; nothing of ours is in its variables."""
        program, *rest = arguments
        return subprocess.run(
            [self.folder / "bin" / program, *rest],
            env={"PATH": os.defpath, "HOME": str(self.home), "TMPDIR": str(self.home), **(environ or {})},
            cwd=cwd or self.home,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def call(command: Sequence[str | Path], *, cwd: Path) -> None:
    """Run a command that must succeed; what it said is in the error."""
    # Of what is installed most is never imported.
    environ = {**os.environ, "PIP_NO_COMPILE": "1"}
    done = subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"


def build(folder: Path, into: Path) -> Built:
    """Build an sdist, and the wheel out of that sdist, with the tools of this environment."""
    sdist = Path(ProjectBuilder(folder, runner=quiet_subprocess_runner).build("sdist", into))
    with tempfile.TemporaryDirectory() as temporary:
        shutil.unpack_archive(sdist, temporary, filter="data")
        unpacked = Path(temporary, sdist.name.removesuffix(".tar.gz"))
        wheel = Path(ProjectBuilder(unpacked, runner=quiet_subprocess_runner).build("wheel", into))
    return Built(sdist, wheel)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the checkout: builds leave things behind, and must not find what earlier ones left."""
    copy = tmp_path_factory.mktemp("checkout") / "kube-log-watcher"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "_build", "*.egg-info")
    shutil.copytree(ROOT, copy, ignore=ignored)
    return copy


@pytest.fixture(scope="session")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Built]:
    """Build all distributions."""
    into = tmp_path_factory.mktemp("built")
    return {name: build(checkout / folder, into / name) for name, folder in FOLDERS.items()}


@pytest.fixture(scope="session")
def clean_environment(built: Mapping[str, Built], tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Install all wheels together into a clean environment."""
    environment = Environment.made("clean", tmp_path_factory)
    environment.pip("install", *(item.wheel for item in built.values()))
    return environment


@pytest.fixture(scope="session")
def author_environment(built: Mapping[str, Built], tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Install what an author of agents has: the core with its extra, which brings the kit."""
    environment = Environment.made("author", tmp_path_factory)
    core, kit = (built[f"kube-log-watcher-{name}"].wheel for name in ("core", "testing"))
    environment.pip("install", "pip", f"{core}[testing]", "--find-links", kit.parent)
    return environment
