"""Killed at each system call that changes the disk: the old or the new is left, the next start mends it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest

from agent_support import tree
from daemon_support import CART, SHOP, Stage
from fuzz_support import thorough
from kube_log_watcher_core import Layout
from kube_log_watcher_core.cli.once import one_pass
from kube_log_watcher_core.configuration import Given, configure
from trace_support import traced

CALLS = (
    *("fchmod", "fchown", "fsync", "rename", "renameat", "renameat2", "symlink", "symlinkat"),
    *("unlink", "unlinkat", "mkdir", "mkdirat", "rmdir"),
)
MANY = 25
Tree = dict[str, bytes | str | None]


pytestmark = [
    pytest.mark.long,
    traced,
]


@attrs.frozen
class Scene:
    """A node on which something changed while the watcher was away."""

    stage: Stage
    environ: Mapping[str, str]
    old: Tree
    backup: Path

    @property
    def here(self) -> Tree:
        """All that the shippers read, as it is now."""
        return {
            f"{folder.name}/{name}": seen
            for folder in self.stage.folders
            for name, seen in tree(folder).items()
        }

    def restore(self) -> None:
        """Put everything back as it was before the change."""
        for folder in self.stage.folders:
            shutil.rmtree(folder)
            shutil.copytree(self.backup / folder.name, folder, symlinks=True)

    def mend(self) -> None:
        """Do what the next start does."""
        resolution, errors = one_pass(configure(Given(environ=self.environ)), timeout_seconds=10.0)
        assert list(errors.values()) == [None] * len(errors)
        assert len(resolution.targets) == 3

    def run_once(self, *prefix: str) -> int:
        """Run the watcher for one pass, by a command; give its exit code."""
        command = [*prefix, *self.stage.watcher.command[:-1], "once"]
        return subprocess.run(
            command, env=dict(self.environ), capture_output=True, check=False, timeout=60
        ).returncode


@pytest.fixture(scope="module", params=["scalyr", "appdynamics", "symlinker"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Let one log come, one go and one change its labels."""
    root = tmp_path_factory.mktemp("killed")
    cache = root / "cache" / "python-entrypoints"
    cache.mkdir(parents=True)
    (cache / ".disable").touch()  # else stevedore's cache is one more thing that is written
    with Stage(root, Layout.DOCKER, agents=[request.param]) as stage:
        every = {**stage.watcher.environ, "XDG_CACHE_HOME": root / "cache", "PYTHONDONTWRITEBYTECODE": "1"}
        environ = {name: str(value) for name, value in every.items() if value is not None}
        goes, _ = stage.run("goes"), [stage.run("stays"), stage.run("changes")]
        scene = Scene(stage, environ, {}, root / "backup")
        scene.mend()
        old = scene.here
        for folder in stage.folders:
            shutil.copytree(folder, scene.backup / folder.name, symlinks=True)
        stage.end(goes)
        stage.api.relabel("default", "changes", **CART)
        stage.run("comes", labels=SHOP)
        yield attrs.evolve(scene, old=old)


def calls_of_a_whole_pass(scene: Scene, log: Path) -> list[tuple[str, int]]:
    """Name the system calls that change the disk in an undisturbed pass: which, and the how many-eth."""
    trace = [
        "strace",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-e",
        f"trace={','.join(CALLS)}",
        "-e",
        "signal=none",
        "-o",
        str(log),
    ]
    assert scene.run_once(*trace) == 0
    names = re.findall(r"(?m)^[0-9]+ +([a-z0-9]+)\(", log.read_text())
    return [(name, names[: at + 1].count(name)) for at, name in enumerate(names)]


def chosen(calls: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Leave out three of four where a tree of links takes very many, all of a kind; none in a long run."""
    return calls if len(calls) <= MANY or thorough() else calls[::4]


def test_killed_at_each_call_that_changes_the_disk(scene: Scene, tmp_path: Path) -> None:
    scene.restore()
    calls = calls_of_a_whole_pass(scene, tmp_path / "calls")
    new = scene.here
    assert new != scene.old
    assert len(calls) >= 8
    for name, number in chosen(calls):
        scene.restore()
        # At the entry: the call itself is not done any more.
        injection = f"inject={name}:signal=KILL:when={number}"
        code = scene.run_once(
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e", injection
        )
        assert code in (-signal.SIGKILL, 128 + signal.SIGKILL), f"{name} {number}"
        check_left(scene, new)
        scene.mend()
        assert scene.here == new, f"{name} {number}"


def check_left(scene: Scene, new: Tree) -> None:
    """See whether each thing that is there is as it was or as it shall be; what is half, no shipper reads."""
    for name, found in scene.here.items():
        if name.endswith(".klw-tmp"):
            assert os.path.basename(name).startswith(".")
        elif found is not None:
            assert found in (scene.old.get(name), new.get(name)), name
    # What is there before and after is there all the time, whole.
    for name in scene.old.keys() & new.keys():
        assert scene.here.get(name, "absent") in (scene.old[name], new[name]), name
