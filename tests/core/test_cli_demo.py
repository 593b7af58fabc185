"""The demo plays to its end, in a pipe and in a terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli_support import clean_environ, in_terminal, run_cli
from kube_log_watcher_core.plugins import installed

pytestmark = pytest.mark.skipif(not installed(), reason="no agent is installed")

STEPS = (
    "12 pods on two nodes",
    "a pod arrives",
    "a label changes",
    "a log rotates",
    "a pod goes",
    "the shipper has read them",
)


def test_it_shows_every_step_and_tells_where_the_files_are(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    arguments = ["--plain", "--seconds-per-step", "0", "--dir", str(folder)]
    done = run_cli("demo", *arguments, environ=clean_environ(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    shown = [line.removeprefix("== ") for line in done.stdout.splitlines() if line.startswith("== ")]
    assert [title.startswith(step) for title, step in zip(shown, STEPS, strict=True)] == [True] * len(STEPS)
    assert "NOT seen" not in done.stdout
    for name in ("docker-node", "containerd-node"):
        assert (folder / name / "node").is_dir()
        assert any((folder / name / "agents").rglob("*"))
        assert f"{folder}/{name}/agents/" in done.stdout
    for reason in ("label-missing", "pod-unknown", "pod-replaced", "pause-container"):
        assert reason in done.stdout
    assert "11 logs followed, 4 not" in done.stdout
    assert (folder / "watcher.log").stat().st_size > 0


def test_each_step_shows_what_became_of_rows_and_files(tmp_path: Path) -> None:
    done = run_cli("demo", "--plain", "--seconds-per-step", "0", environ=clean_environ(tmp_path))
    parts = done.stdout.split("\n== ")
    assert "followed  shop/checkout-5d9c4f-tq8w2/main" in parts[2]
    assert "shop 1.5.0" in parts[3]
    new = [line.strip() for line in parts[4].splitlines()[1:] if line]
    assert [line.startswith("+ containerd-node/spool/search_search-0_") for line in new] == [True, True]
    assert "no file has changed" in parts[5]
    assert "gone      billing/billing-0/main" not in parts[5]
    assert "gone      billing/billing-0/main" in parts[6]
    assert "- containerd-node/spool/search_search-0_" in parts[6]
    for part in (parts[2], parts[3], parts[4], parts[6]):
        assert "no file has changed" not in part


def test_in_a_terminal_it_draws_a_table(tmp_path: Path) -> None:
    """The terminal is a real one, a pseudo-terminal."""
    code, shown = in_terminal("demo", "--seconds-per-step", "0", environ=clean_environ(tmp_path))
    assert code == 0
    assert "application and version, or why not" in shown
    assert "\x1b[" in shown
    assert "11 logs followed, 4 not" in shown


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (120, 30)])
def test_the_table_fits_into_a_small_terminal(tmp_path: Path, columns: int, lines: int) -> None:
    code, shown = in_terminal(
        *("demo", "--seconds-per-step", "0", "-a", "symlinker"),
        environ=clean_environ(tmp_path),
        columns=columns,
        lines=lines,
    )
    assert code == 0
    frames = re.split(r"\r\x1b\[2K(?:\x1b\[1A\x1b\[2K)+", shown.partition("11 logs followed")[0])
    for frame in (each for each in frames if "containerd-node" in each):
        drawn = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", frame).rstrip().splitlines()
        assert max(len(line.rstrip()) for line in drawn) <= columns
        assert len(drawn) <= lines
        assert "files" in drawn
        assert any(line.startswith("docker-node") and "followed" in line for line in drawn)


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    done = run_cli("demo", "--dir", str(tmp_path), environ=clean_environ(tmp_path))
    assert done.returncode == 2
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_an_agent_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    done = run_cli("demo", "--plain", "-a", "unheard-of", environ=clean_environ(tmp_path))
    assert done.returncode == 78
    assert "agent unheard-of takes no part: there is no agent 'unheard-of'" in done.stderr
