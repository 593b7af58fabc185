"""``once --dry-run --sample``: any agent on a made-up node."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli_support import clean_environ, run_cli, write_lister
from kube_log_watcher_testing.sample.scenes import Run, Scene, scenes

USAGE, CONFIGURATION = 2, 78

BY_SOCKET = """
import attrs
from kube_log_watcher_core import BaseAgent

class Socket(BaseAgent):
    name = "socket"
    settings_class = attrs.make_class("Settings", [])
    def sync(self, targets): raise AssertionError("it must not be called")
"""
BROKEN = """
from pathlib import Path
import attrs
from kube_log_watcher_core import PATH, File, FileAgent, Owned, choice, count, setting

@attrs.frozen
class Settings:
    number: int = setting(count(least=1), help="a number")
    word: str = setting(choice("red", "green"), help="a word")
    folder: Path = setting(PATH, help="a folder")

class Broken(FileAgent):
    name = "broken"
    settings_class = Settings
    def owned(self): return [Owned(self.settings.folder, "list")]
    def render(self, targets):
        return [File(self.settings.folder / "other", f"{self.settings.number} {self.settings.word}")]
"""


def sample(
    tmp_path: Path, *arguments: str, agents: str = "lister", file: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    environ: Mapping[str, str] = clean_environ(
        tmp_path,
        WATCHER_AGENTS=agents,
        WATCHER_EXTRA_AGENT=str(file or write_lister(tmp_path)),
        **variables,
    )
    return run_cli("once", *arguments, environ=environ)


def an_agent(tmp_path: Path, module: str) -> Path:
    file = tmp_path / "agent.py"
    file.write_text(module)
    file.chmod(0o644)
    return file


def test_it_shows_the_files_for_a_node_that_nobody_has(tmp_path: Path) -> None:
    done = sample(tmp_path, "--dry-run", "--sample")
    assert done.returncode == 0, done.stderr
    assert "the sample node: 4 of 5 containers are followed" in done.stdout
    assert "+++ /sample/lister/folder/list.txt" in done.stdout
    assert "+billing-0 2.10 /var/lib/docker/containers/" in done.stdout
    assert "+shop-6f7d8b-x2x4v 1.4.2 /var/log/pods/shop_shop-6f7d8b-x2x4v_" in done.stdout
    assert done.stdout.count("+ link /sample/lister/folder/") == 4


def test_what_it_makes_up_is_said_and_a_key_does_not_show_in_files(tmp_path: Path) -> None:
    done = sample(tmp_path, "--dry-run", "--sample", WATCHER_LISTER_API_KEY="a-real-key")
    assert "made up, for it is not set: lister.folder=/sample/lister/folder" in done.stdout
    assert "lister.api_key=" not in done.stdout
    assert "a-real-key" not in done.stdout
    assert '+api_key: "***"' in done.stdout


def test_settings_that_are_given_count(tmp_path: Path) -> None:
    done = sample(
        tmp_path,
        *("--dry-run", "--sample", "--strict-labels", "run", "--log-path-map", "/var/log=/logs"),
        WATCHER_LISTER_FOLDER="/elsewhere",
        WATCHER_LISTER_API_KEY_FILE=str(an_agent(tmp_path, "key")),
    )
    assert "1 of 5 containers are followed" in done.stdout
    assert "+++ /elsewhere/list.txt" in done.stdout
    assert "+debug None /logs/pods/default_debug_" in done.stdout
    assert "made up" not in done.stdout


def test_changes_show_as_differences_from_one_to_the_next(tmp_path: Path) -> None:
    done = sample(tmp_path, "--dry-run", "--sample", "--change")
    assert done.returncode == 0, done.stderr
    _, first, relabelled, restarted, removed = done.stdout.split("\n\n") if done.stdout else [""] * 5
    assert "the sample node" in first
    assert "-shop-6f7d8b-x2x4v 1.4.2" in relabelled
    assert "+shop-6f7d8b-x2x4v 1.5.0" in relabelled
    assert "link" not in relabelled
    assert "index/1.log" in restarted
    assert "- remove /sample/lister/folder/" in restarted
    assert "-billing-0 2.10" in removed
    assert "- remove /sample/lister/folder/" in removed


def test_it_is_the_same_everywhere(tmp_path: Path) -> None:
    """An author can keep it beside the code, and compare."""
    arguments = ("--dry-run", "--sample", "--change")
    runs = [sample(tmp_path, *arguments, PYTHONHASHSEED=seed) for seed in ("1", "2")]
    assert runs[0].stdout == runs[1].stdout


def test_nothing_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "list"
    folder.mkdir()
    sample(tmp_path, "--dry-run", "--sample", "--change", WATCHER_LISTER_FOLDER=str(folder))
    assert list(folder.iterdir()) == []


def test_an_agent_without_files_can_not_be_shown_and_is_not_called(tmp_path: Path) -> None:
    done = sample(tmp_path, "--dry-run", "--sample", agents="socket", file=an_agent(tmp_path, BY_SOCKET))
    assert done.returncode == 0, done.stderr
    assert "can't be shown: it is no FileAgent" in done.stdout


def test_an_agent_that_would_fail_is_told(tmp_path: Path) -> None:
    done = sample(tmp_path, "--dry-run", "--sample", agents="broken", file=an_agent(tmp_path, BROKEN))
    assert done.returncode == 1
    assert "would fail: refusing to write /sample/broken/folder/other" in done.stdout
    assert "broken.number=1" in done.stdout
    assert "broken.word=red" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--sample",), "add --dry-run"), (("--dry-run", "--change"), "add --sample")],
)
def test_a_sample_is_asked_for_as_a_whole(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = sample(tmp_path, *arguments)
    assert done.returncode == USAGE
    assert said in done.stderr


def test_an_agent_that_is_not_there_is_reported_as_ever(tmp_path: Path) -> None:
    done = sample(tmp_path, "--dry-run", "--sample", agents="unheard-of")
    assert done.returncode == CONFIGURATION
    assert "there is no agent 'unheard-of'" in done.stderr


def test_each_scene_is_a_node_that_could_be() -> None:
    for scene in scenes():
        assert isinstance(scene, Scene)
        assert len({container.key for container in scene.containers()}) == len(scene.runs)
        for run in scene.runs:
            pod = scene.pods().by_uid(run.uid)
            assert pod is not None
            assert run.id in {status.id for status in pod.containers}


def test_a_restarted_container_has_another_id_and_another_log() -> None:
    first, second = Run("shop", "shop-1"), Run("shop", "shop-1", restart=1)
    assert first.uid == second.uid
    assert first.as_container().log_path != second.as_container().log_path
