"""What the documents say is so: they render, their tables are the schema's, their examples run."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import docutils.core
import docutils.utils
import pytest

from agent_support import make_target
from documents import ROOT, code_blocks, readme_agent
from kube_log_watcher_core import AgentConfigError, NodeContext
from kube_log_watcher_core.models import Reason
from kube_log_watcher_core.plugins import AgentClass, agent_in_file
from kube_log_watcher_core.settings import WatcherSettings, fields_of

READMES = sorted(ROOT.glob("kube_log_watcher_*/README.rst"))
PAGES = [*READMES, ROOT / "README.rst", ROOT / "CHANGELOG.rst", ROOT / "CONTRIBUTING.rst"]
PAGES.append(ROOT / "SECURITY.rst")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_renders_without_a_warning(page: Path) -> None:
    """PyPI shows a README that does not render as raw text."""
    overrides = {"halt_level": docutils.utils.Reporter.WARNING_LEVEL, "syntax_highlight": "short"}
    html = docutils.core.publish_parts(page.read_text(), writer="html5", settings_overrides=overrides)
    assert html["body"]


def test_every_distribution_has_a_readme() -> None:
    folders = sorted(page.parent.name for page in ROOT.glob("kube_log_watcher_*/pyproject.toml"))
    assert len(folders) > 5
    assert [page.parent.name for page in READMES] == folders


def test_the_readme_leads_with_its_two_commands() -> None:
    text = (ROOT / "README.rst").read_text()
    assert re.findall(r"\$ (\S.*?)(?:  |\n)", text)[:2] == ["make demo", "make test"]


def test_the_readmes_table_has_all_settings_of_the_watcher_and_no_others() -> None:
    text = (ROOT / "README.rst").read_text()
    listed = re.findall(r"^``([A-Z_]+)`` ", text, re.MULTILINE)
    assert sorted(listed) == sorted(field.variable for field in fields_of(WatcherSettings))


def test_the_guide_explains_every_reason_for_which_a_container_is_skipped() -> None:
    text = (ROOT / "docs" / "how-to" / "operate.rst").read_text().partition("``pause-container``")
    explained = re.findall(r"^``([a-z-]+)`` +\S", "".join(text[1:]).partition("\n\n")[0], re.MULTILINE)
    assert explained == [reason.value for reason in Reason]


def test_the_readmes_agent_is_about_fifteen_lines_long() -> None:
    """Imports and blank lines aside."""
    lines = [line for line in readme_agent().splitlines() if line and not line.startswith(("import", "from"))]
    assert len(lines) <= 15


def agent_of(module: str, folder: Path) -> AgentClass:
    file = folder / "agent.py"
    file.write_text(module)
    file.chmod(0o644)
    return agent_in_file(file)


def test_the_readmes_agent_writes_its_list_and_nothing_else(tmp_path: Path) -> None:
    agent_class = agent_of(readme_agent(), tmp_path)
    (field,) = fields_of(agent_class.settings_class, "list")
    assert field.variable == "WATCHER_LIST_FOLDER"
    folder = tmp_path / "list"
    folder.mkdir()
    agent = agent_class(agent_class.settings_class(folder=folder), NodeContext())
    agent.check()
    agent.sync([make_target(1), make_target(2)])
    assert [log["app"] for log in json.loads((folder / "logs.json").read_text())] == ["shop", "shop"]
    assert len(list(folder.iterdir())) == 1


def test_the_guides_agent_tells_a_socket_which_files_to_follow(tmp_path: Path) -> None:
    (module,) = code_blocks(ROOT / "docs" / "how-to" / "write-an-agent.rst", "python")
    agent_class = agent_of(module, tmp_path)
    path = tmp_path / "socket"
    agent = agent_class(agent_class.settings_class(path=path), NodeContext())
    with pytest.raises(AgentConfigError, match="start the shipper first"):
        agent.check()
    with socket.socket(socket.AF_UNIX) as shipper:
        shipper.bind(str(path))
        shipper.listen()
        agent.check()
        agent.sync([make_target(1)])
        connection, _ = shipper.accept()
        with connection, connection.makefile() as lines:
            assert lines.read() == f"{make_target(1).log_path}\n"
