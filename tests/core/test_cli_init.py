"""``init``: the first configuration, for an init container."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_support import Place, place, run_cli


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path) as made:
        yield made


def test_it_writes_the_first_configuration_and_leaves_without_asking_the_api(here: Place) -> None:
    here.add("shop-1")
    done = run_cli("init", environ=here.environ | {"WATCHER_CONTAINERS_PATH": "/nowhere/yet"})
    assert (done.returncode, done.stdout) == (0, "agent lister: ready\n")
    assert here.listed() == "nothing yet\n"
    assert here.api.requests == []


def test_what_is_there_stays(here: Place) -> None:
    (here.folder / "list.txt").write_text("from before\n")
    (here.folder / "x.log").symlink_to("/x")
    assert run_cli("init", environ=here.environ).returncode == 0
    assert here.listed() == "from before\n"
    assert (here.folder / "x.log").is_symlink()


def test_a_folder_that_is_missing_is_a_setting_to_change(here: Place) -> None:
    here.folder.rmdir()
    done = run_cli("init", environ=here.environ)
    assert done.returncode == 78
    assert f"WATCHER_LISTER_FOLDER={here.folder}" in done.stderr


def test_one_agent_that_cannot_work_does_not_keep_the_others_from_starting(
    here: Place, tmp_path: Path
) -> None:
    closed = tmp_path / "closed.py"
    closed.write_text(
        "import attrs\n"
        "from kube_log_watcher_core import AgentConfigError, BaseAgent\n"
        "class Closed(BaseAgent):\n"
        "    name = 'closed'\n"
        "    settings_class = attrs.make_class('Settings', [])\n"
        "    def sync(self, targets): ...\n"
        "    def check(self): raise AgentConfigError('the door is closed: open it')\n"
    )
    closed.chmod(0o644)
    both = f"{here.environ['WATCHER_EXTRA_AGENT']},{closed}"
    done = run_cli("init", "-a", "closed,lister", "--extra-agent", both, environ=here.environ)
    assert done.returncode == 78
    assert "agent closed: the door is closed: open it" in done.stderr
    assert here.listed() == "nothing yet\n"


def test_what_goes_wrong_while_it_writes_is_told(here: Place, tmp_path: Path) -> None:
    full = tmp_path / "full.py"
    full.write_text(
        "import attrs, errno, os\n"
        "from kube_log_watcher_core import BaseAgent\n"
        "class Full(BaseAgent):\n"
        "    name = 'full'\n"
        "    settings_class = attrs.make_class('Settings', [])\n"
        "    def sync(self, targets): ...\n"
        "    def prepare(self): raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), '/conf/full')\n"
    )
    full.chmod(0o644)
    done = run_cli("init", "-a", "full", "--extra-agent", str(full), environ=here.environ)
    assert done.returncode == 78
    assert "agent full can't write its first configuration" in done.stderr
    assert "No space left on device: '/conf/full'" in done.stderr
    assert "Traceback" not in done.stderr
