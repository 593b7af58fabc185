"""Agents that are slow, hang, exit or hand over garbage: each is told of, and the others keep their pace."""

from __future__ import annotations

from pathlib import Path

import pytest

from clock_support import Clocks, at_work
from daemon_support import AGENTS, CART, Stage
from kube_log_watcher_core import Layout
from support import soon, wait_until

DOCKER = Layout.DOCKER
REPORT = "agent odd has been working on one sync for"

AGENT = """
import sys, threading, time
from pathlib import Path

import attrs

from kube_log_watcher_core import PATH, File, FileAgent, Link, Owned, setting


@attrs.frozen
class Settings:
    folder: Path = setting(PATH, help="folder of the list")


class Odd(FileAgent[Settings]):
    name = "odd"
    settings_class = Settings

    def owned(self):
        return [Owned(self.settings.folder, r"[a-z]+\\.txt")]

    def good(self, targets):
        text = "".join(sorted(f"{target.pod_name}\\n" for target in targets))
        return [File(self.settings.folder / "list.txt", text)]

    def render(self, targets):
        if (self.settings.folder / "odd").exists():
"""

BEHAVIOURS = {
    "raises": "raise ValueError('odd')",
    "exits": "sys.exit(3)",
    "is-interrupted": "raise KeyboardInterrupt",
    "gives-up": "raise GeneratorExit",
    "calls-itself": "return self.render(targets)",
    "nothing": "return None",
    "no-items": "return [None, 1, 'x']",
    "a-path-outside": "return [File(self.settings.folder.parent / 'list.txt', 'x')]",
    "a-path-upwards": "return [File(self.settings.folder / '..' / 'list.txt', 'x')]",
    "a-nul": "return [File(self.settings.folder / 'a\\0.txt', 'x')]",
    "no-bytes": "return [File(self.settings.folder / 'list.txt', 5)]",
    "half-a-character": "return [File(self.settings.folder / 'list.txt', '\\ud83d')]",
    "a-link-not-owned": "return [Link(self.settings.folder / 'list.txt', Path('/etc/shadow'))]",
    "one-path-twice": "return [File(self.settings.folder / 'list.txt', text) for text in 'ab']",
}


def odd_stage(root: Path, behaviour: str, **environ: str) -> Stage:
    """Give a stage with an agent that behaves oddly for as long as there is a file called `odd`."""
    (root / "odd.py").write_text(f"{AGENT}            {behaviour}\n        return self.good(targets)\n")
    (root / "odd.py").chmod(0o644)
    folder = root / "list"
    folder.mkdir()
    (folder / "odd").touch()
    variables: dict[str, str | Path | None] = {
        "WATCHER_EXTRA_AGENT": root / "odd.py",
        "WATCHER_ODD_FOLDER": folder,
        **environ,
    }
    return Stage(root, DOCKER, agents=(*AGENTS, "odd"), environ=variables)


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=BEHAVIOURS)
def test_whatever_an_agent_does_the_others_keep_their_pace_and_it_recovers(
    tmp_path: Path, behaviour: str
) -> None:
    with odd_stage(tmp_path, behaviour) as stage:
        stage.start()
        one = stage.run("shop-1")
        stage.wait_followed(one)
        stage.watcher.wait_for_log("agent odd failed, it is tried again")
        with soon("the others"):
            two = stage.run("cart-1", labels=CART)
            stage.wait_followed(one, two)
        written = {path.name: path.read_text() for path in (tmp_path / "list").iterdir()}
        assert written == ({"odd": "", "list.txt": "a"} if "for text in 'ab'" in behaviour else {"odd": ""})
        assert not (tmp_path / "list.txt").exists()
        (tmp_path / "list" / "odd").unlink()
        listed = tmp_path / "list" / "list.txt"
        stage.watcher.wait_for(
            lambda: listed.exists() and listed.read_text().split() == ["cart-1", "shop-1"], what="a list"
        )
        assert stage.watcher.log.count("agent odd failed") == 1
        stage.watcher.wait_for_log("agent odd works again")


def test_an_agent_that_is_slow_holds_up_nobody_and_gets_the_latest(tmp_path: Path) -> None:
    slow = """
            with (self.settings.folder / "odd").open("a") as calls:
                calls.write("once more\\n")
            while not (self.settings.folder / "go").exists():
                time.sleep(0.01)
    """
    with odd_stage(tmp_path, slow.strip()) as stage:
        stage.start()
        pods = []
        for number in range(5):
            pods.append(stage.run(f"shop-{number}"))
            stage.wait_followed(*pods)
        (tmp_path / "list" / "go").touch()
        listed = tmp_path / "list" / "list.txt"
        stage.watcher.wait_for(
            lambda: listed.exists() and len(listed.read_text().split()) == 5, what="all five"
        )
        assert len((tmp_path / "list" / "odd").read_text().splitlines()) == 2


def test_an_agent_that_hangs_is_reported_once_while_the_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clocks = Clocks()
    hang = "while (self.settings.folder / 'odd').exists(): time.sleep(0.01)"
    with odd_stage(tmp_path, hang) as stage, at_work(stage, clocks):
        one = stage.run("shop-1")
        wait_until(lambda: stage.follows(one), what="following")
        clocks.monotonic_ahead = 31.0
        two = stage.run("cart-1", labels=CART)
        wait_until(lambda: stage.follows(one, two), what="following")
        wait_until(lambda: REPORT in caplog.text, what="a report")
        (tmp_path / "list" / "odd").unlink()
        listed = tmp_path / "list" / "list.txt"
        wait_until(
            lambda: listed.exists() and len(listed.read_text().split()) == 2, timeout=30, what="a list"
        )
    assert caplog.text.count(REPORT) == 1


def test_an_agent_that_ends_the_whole_process_leaves_what_was_there(tmp_path: Path) -> None:
    """Against `os._exit` there is no remedy but the next start: the kubelet restarts the container."""
    with odd_stage(tmp_path, "import os; os._exit(7)") as stage:
        stage.run("shop-1")
        stage.watcher.start()
        assert stage.watcher.wait_for_exit() == 7
        (tmp_path / "list" / "odd").unlink()
        stage.start()
        stage.wait_followed(stage.run("cart-1", labels=CART))
        assert stage.leftovers() == set()
