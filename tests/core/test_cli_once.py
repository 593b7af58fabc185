"""``once``: one complete pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_support import KEY, Place, place, run_cli
from kube_log_watcher_core.models import Layout


@pytest.fixture(params=[Layout.DOCKER, Layout.CRI], ids=["docker", "cri"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path, request.param) as made:
        yield made


@pytest.fixture
def simple(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path) as made:
        yield made


def test_one_pass_writes_what_is_to_be_followed_and_tells_what_is_not(here: Place) -> None:
    followed, skipped = here.add("shop-1"), here.add("debug", labels={"application": "debug"})
    done = run_cli("once", environ=here.environ)
    assert done.returncode == 0, done.stderr
    assert f"shop-1 1.0 {followed.log}" in here.listed()
    assert str(skipped.log) not in here.listed()
    lines = done.stdout.splitlines()
    assert "followed: 1" in lines
    assert f"  default/shop-1/main: {followed.log}" in lines
    assert "  label-missing: 1" in lines
    assert "agent lister: ok" in lines
    assert any(line.startswith("    default/debug/main: ") and "version" in line for line in lines)


def test_a_second_pass_removes_what_has_gone(simple: Place) -> None:
    container = simple.add("shop-1")
    run_cli("once", environ=simple.environ)
    simple.node.remove(container)
    simple.api.delete("default", "shop-1")
    assert run_cli("once", environ=simple.environ).returncode == 0
    assert str(container.log) not in simple.listed()
    assert not (simple.folder / f"{container.id}.log").is_symlink()


def test_an_agent_that_fails_is_named_and_the_others_go_on(simple: Place, tmp_path: Path) -> None:
    simple.add("shop-1")
    failing = tmp_path / "failing.py"
    failing.write_text(
        "import attrs\n"
        "from kube_log_watcher_core import AgentError, BaseAgent\n"
        "class Failing(BaseAgent):\n"
        "    name = 'failing'\n"
        "    settings_class = attrs.make_class('Settings', [])\n"
        "    def sync(self, targets): raise AgentError('the disk is full')\n"
    )
    failing.chmod(0o644)
    both = f"{simple.environ['WATCHER_EXTRA_AGENT']},{failing}"
    done = run_cli("once", "-a", "failing,lister", "--extra-agent", both, environ=simple.environ)
    assert done.returncode == 1
    assert "agent failing: the disk is full" in done.stdout
    assert "agent lister: ok" in done.stdout
    assert "shop-1" in simple.listed()


def test_without_the_api_nothing_is_written_and_one_may_try_again(simple: Place) -> None:
    simple.add("shop-1")
    simple.api.stop()
    done = run_cli("once", "--timeout", "0.5", environ=simple.environ)
    assert done.returncode == 75
    assert "kube-log-watcher: the pods can't be had within 0.5 s" in done.stderr
    assert list(simple.folder.iterdir()) == []


def test_without_the_containers_folder_one_may_try_again(simple: Place) -> None:
    done = run_cli("once", "--containers-path", "/nowhere/containers", environ=simple.environ)
    assert done.returncode == 75
    assert "the containers folder /nowhere/containers can't be read: No such file or directory" in done.stderr
    assert list(simple.folder.iterdir()) == []


def test_names_that_a_pod_author_chose_stay_on_their_line(simple: Place) -> None:
    simple.add("evil\x1b[2Jname\nagent lister: ok")
    done = run_cli("once", environ=simple.environ)
    assert "\x1b" not in done.stdout
    assert done.stdout.splitlines().count("agent lister: ok") == 1


def test_a_dry_run_shows_differences_and_writes_nothing(here: Place, tmp_path: Path) -> None:
    container = here.add("shop-1")
    (here.folder / "list.txt").write_text("api_key: the-key-before\nleftover 1.0 /gone.log\n")
    (here.folder / "stale.log").symlink_to("/gone.log")
    before = snapshot(tmp_path)
    done = run_cli("once", "--dry-run", environ=here.environ)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert f"--- {here.folder / 'list.txt'}" in lines
    assert "-leftover 1.0 /gone.log" in lines
    assert f"+shop-1 1.0 {container.log}" in lines
    assert f"+ link {here.folder / f'{container.id}.log'} -> {container.log}" in lines
    assert f"- remove {here.folder / 'stale.log'}" in lines
    assert snapshot(tmp_path) == before


def test_a_dry_run_shows_no_key_neither_the_new_one_nor_the_one_before(simple: Place) -> None:
    simple.add("shop-1")
    (simple.folder / "list.txt").write_text("api_key: the-key-before\n")
    done = run_cli("once", "--dry-run", environ=simple.environ)
    assert KEY not in done.stdout + done.stderr
    assert "the-key-before" not in done.stdout + done.stderr
    assert "***" in done.stdout


def test_a_dry_run_tells_when_only_the_key_differs(simple: Place) -> None:
    (simple.folder / "list.txt").write_text("api_key: the-key-before\n")
    done = run_cli("once", "--dry-run", environ=simple.environ)
    assert f"+ {simple.folder / 'list.txt'}: only what is not shown differs" in done.stdout.splitlines()


def test_a_dry_run_after_a_pass_finds_nothing_to_change(here: Place) -> None:
    here.add("shop-1")
    assert run_cli("once", environ=here.environ).returncode == 0
    done = run_cli("once", "--dry-run", environ=here.environ)
    assert done.stdout == "agent lister:\n  nothing would change\n"


def test_a_dry_run_shows_what_would_be_although_a_folder_is_missing(simple: Place) -> None:
    container = simple.add("shop-1")
    simple.folder.rmdir()
    done = run_cli("once", "--dry-run", environ=simple.environ)
    assert done.returncode == 1
    assert "would fail: agent lister:" in done.stdout
    assert f"WATCHER_LISTER_FOLDER={simple.folder}" in done.stdout
    assert "--- /dev/null" in done.stdout
    assert f"+shop-1 1.0 {container.log}" in done.stdout
    assert not simple.folder.exists()


def test_a_dry_run_says_so_when_an_agent_writes_in_its_own_way(simple: Place, tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text(
        "import attrs\n"
        "from kube_log_watcher_core import BaseAgent\n"
        "class Own(BaseAgent):\n"
        "    name = 'own'\n"
        "    settings_class = attrs.make_class('Settings', [])\n"
        "    def sync(self, targets): raise SystemExit('it was called')\n"
    )
    own.chmod(0o644)
    done = run_cli("once", "--dry-run", "-a", "own", "--extra-agent", str(own), environ=simple.environ)
    assert done.returncode == 0, done.stderr
    assert "can't be shown" in done.stdout


def snapshot(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """Read everything below a folder, with the times at which it was changed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        content = path.readlink().__fspath__().encode() if path.is_symlink() else b""
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
        found[path] = (path.lstat().st_mtime_ns, content)
    return {path: seen for path, seen in found.items() if "__pycache__" not in path.parts}
