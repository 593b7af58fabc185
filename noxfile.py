"""Sessions for other Pythons and for the oldest allowed dependencies; the rest is in the Makefile."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import nox

DISTRIBUTIONS = [
    path.parent for path in sorted(Path(__file__).parent.glob("kube_log_watcher_*/pyproject.toml"))
]

nox.options.sessions = ["tests"]


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """Run the tests; arguments go to pytest."""
    _install(session)
    session.run("pytest", *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def expressions(session: nox.Session) -> None:
    """Try the judge of expressions against the parser and the `re` of each Python, and nothing else."""
    session.install("./kube_log_watcher_backtracking", "pytest", "pytest-timeout", "hypothesis")
    session.run("pytest", "--noconftest", "tests/backtracking", *session.posargs)


@nox.session(python="3.11")
def oldest(session: nox.Session) -> None:
    """Run the tests with the oldest dependencies that the core allows."""
    _install(session, *_oldest(Path("kube_log_watcher_core/pyproject.toml")))
    session.run("pytest", "tests/core", *session.posargs)


def _install(session: nox.Session, *requirements: str) -> None:
    session.install("--upgrade", "pip>=25.1")
    folders = [argument for folder in DISTRIBUTIONS for argument in ("-e", f"./{folder.name}")]
    session.install(*folders, ".[all]", *requirements)
    session.install("--group", "test", *requirements)


def _oldest(pyproject: Path) -> list[str]:
    """Pin each requirement of a distribution to its lower bound."""
    requirements: list[str] = tomllib.loads(pyproject.read_text())["project"]["dependencies"]
    return [re.sub(r">=", "==", requirement) for requirement in requirements]
