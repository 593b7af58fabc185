"""What the documents say is so: they render, their tables are the schema's, their examples run."""

from __future__ import annotations

import re
from pathlib import Path

import docutils.core
import docutils.utils
import pytest
from documents import ROOT, readme_agent

from kube_log_watcher_core import FileAgent
from kube_log_watcher_core.settings import WatcherSettings, fields_of

READMES = sorted(ROOT.glob("kube_log_watcher_*/README.rst"))
PAGES = [*READMES, ROOT / "README.rst", ROOT / "CHANGELOG.rst", ROOT / "CONTRIBUTING.rst"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_renders_without_a_warning(page: Path) -> None:
    """PyPI shows a README that does not render as raw text."""
    overrides = {"halt_level": docutils.utils.Reporter.WARNING_LEVEL, "syntax_highlight": "short"}
    html = docutils.core.publish_parts(page.read_text(), writer="html5", settings_overrides=overrides)
    assert html["body"]


def test_every_distribution_has_a_readme() -> None:
    assert [page.parent.name for page in READMES] == [
        "kube_log_watcher_appdynamics",
        "kube_log_watcher_core",
        "kube_log_watcher_scalyr",
        "kube_log_watcher_symlinker",
    ]


def test_the_readme_leads_with_its_two_commands() -> None:
    text = (ROOT / "README.rst").read_text()
    assert re.findall(r"\$ (\S.*?)(?:  |\n)", text)[:2] == ["make demo", "make test"]


def test_the_readmes_table_has_all_settings_of_the_watcher_and_no_others() -> None:
    text = (ROOT / "README.rst").read_text()
    listed = re.findall(r"^``([A-Z_]+)`` ", text, re.MULTILINE)
    assert sorted(listed) == sorted(field.variable for field in fields_of(WatcherSettings))


def test_the_readmes_agent_is_about_fifteen_lines_long() -> None:
    """Imports and blank lines aside."""
    lines = [line for line in readme_agent().splitlines() if line and not line.startswith(("import", "from"))]
    assert len(lines) <= 15


def test_the_readmes_agent_is_an_agent_with_settings_of_its_own() -> None:
    names: dict[str, object] = {"__name__": "list_agent"}
    exec(compile(readme_agent(), "README.rst", "exec", dont_inherit=True), names)  # noqa: S102 - our own text
    agent = names["ListAgent"]
    assert isinstance(agent, type)
    assert issubclass(agent, FileAgent)
    (field,) = fields_of(agent.settings_class, "list")
    assert field.variable == "WATCHER_LIST_FOLDER"
