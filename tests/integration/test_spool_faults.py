"""What can't be linked or removed in the spool is told with the remedy and tried again: nothing is lost."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cli_support import COMMAND, run_cli
from daemon_support import Stage, with_spool
from kube_log_watcher_core import Layout
from kube_log_watcher_core.spool.linking import REMEDIES
from kube_log_watcher_testing.fake_node import FakeContainer
from mount_support import in_a_mount_namespace, tmpfs
from trace_support import traced

pytestmark = pytest.mark.timeout(120)
ERRORS = pytest.mark.parametrize(
    "error", [errno.EPERM, errno.EMLINK, errno.ENOSPC, errno.EROFS], ids=errno.errorcode.get
)


def failing_links(error: int, *, when: str = "1+") -> list[str]:
    """Give a command under which making a link fails, so many times."""
    inject = f"inject=linkat:error={errno.errorcode[error]}:when={when}"
    return [
        "strace",
        "-D",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=linkat",
        "-e",
        inject,
    ]


def wait_kept(stage: Stage, made: FakeContainer, *, files: int) -> None:
    stage.watcher.wait_for(
        lambda: stage.keeps(made) and len(stage.segments(made)) == files, what=f"{files} segments"
    )


def wait_by_path(stage: Stage, made: FakeContainer) -> None:
    """Wait until a log is followed by its real path."""
    stage.watcher.wait_for(lambda: stage.entry(made).get("path") == str(made.log), what="the real path")


def asked(stage: Stage, *command: str) -> Any:
    """Ask the running watcher."""
    environ = {name: str(value) for name, value in stage.watcher.environ.items() if value is not None}
    return json.loads(run_cli(*command, "-o", "json", environ={**environ, "HOME": str(stage.root)}).stdout)


def explained(stage: Stage, pod: str) -> dict[str, Any]:
    (found,) = asked(stage, "explain", pod)["containers"]
    spool: dict[str, Any] = found["spool"]
    return spool


def checked(stage: Stage, prefix: Sequence[str]) -> str:
    """Give what ``check`` says where a command has prepared the ground."""
    environ = {name: str(value) for name, value in stage.watcher.environ.items() if value is not None}
    done = subprocess.run(
        [*prefix, *COMMAND, "check"],
        env={**environ, "HOME": str(stage.root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 1
    return " ".join(done.stdout.split())


@traced
@ERRORS
def test_a_new_log_that_can_not_be_linked_is_told_with_the_remedy_and_followed_by_its_path(
    tmp_path: Path, error: int
) -> None:
    remedy = f"{os.strerror(error)}: {REMEDIES[error]}"
    with with_spool(tmp_path, Layout.DOCKER) as stage:
        stage.watcher.command = [*failing_links(error), *stage.watcher.command]
        stage.start()
        made = stage.run("web")
        wait_by_path(stage, made)
        stage.watcher.wait_for_log(f"is followed by its path: it can't be kept in the spool: {tmp_path}")
        stage.watcher.wait_for_log(remedy)
        found = explained(stage, "web")
        assert (found["state"], remedy in found["detail"]) == ("by-path", True)
        assert remedy in checked(stage, failing_links(error))
        assert not [path for path in (tmp_path / "node" / "spool").rglob("*") if path.is_file()]


@traced
@pytest.mark.parametrize("error", [errno.EMLINK, errno.ENOSPC], ids=errno.errorcode.get)
def test_a_link_that_fails_for_a_while_is_told_once_and_made_up_for_in_order(
    tmp_path: Path, error: int
) -> None:
    with with_spool(tmp_path, Layout.DOCKER) as stage:
        stage.watcher.command = [*failing_links(error, when="2..4"), *stage.watcher.command]
        stage.start()
        made = stage.run("web")
        wait_kept(stage, made, files=1)
        for number in (2, 3):
            stage.node.rotate(made)
            stage.node.write(made, f"file {number}")
        wait_kept(stage, made, files=3)
        assert ["file 2" in path.read_text() for path in stage.segments(made)] == [False, True, False]
        stage.watcher.wait_for_log("all files of default/web, container main, are kept in the spool again")
        told = "the newest file of default/web, container main, can't be kept in the spool yet: "
        assert stage.watcher.log.count(f"{told}{os.strerror(error)}: {REMEDIES[error]}") == 1


def full(folder: Path) -> list[Path]:
    """Take all inodes that a file system has left; give the files, of which each has one."""
    taken: list[Path] = []
    with contextlib.suppress(OSError):
        while True:
            path = folder / f"filler-{len(taken)}"
            path.touch()
            taken.append(path)
    return taken


def test_without_a_free_inode_nothing_is_lost_and_new_logs_go_by_their_paths(tmp_path: Path) -> None:
    """On tmpfs each link takes one."""
    (tmp_path / "node").mkdir()
    with tmpfs(tmp_path / "node", "nr_inodes=100,size=4m"), _on(tmp_path) as stage:
        old, new = stage.run("old"), stage.node.add(pod="new", started=False)
        wait_kept(stage, old, files=1)
        fillers = full(tmp_path / "node")
        fillers.pop().unlink()
        stage.node.rotate(old)  # its new file has the last inode
        stage.watcher.wait_for_log("the newest file of default/old, container main, can't be kept")
        stage.watcher.wait_for(
            lambda: REMEDIES[errno.ENOSPC] in explained(stage, "old")["trouble"], what="the trouble explained"
        )
        assert REMEDIES[errno.ENOSPC] in "".join(asked(stage, "status")["problems"])
        for _ in range(2):
            fillers.pop().unlink()
        stage.node.start(new)
        stage.show(new)
        stage.watcher.wait_for_log("default/new, container main, is followed by its path")
        for path in fillers:
            path.unlink()
        wait_kept(stage, old, files=2)
        stage.watcher.wait_for_log("all files of default/old, container main, are kept in the spool again")
        stage.watcher.wait_for(lambda: explained(stage, "old")["trouble"] == "", what="the trouble's end")
        wait_by_path(stage, new)
        later = stage.run("later")
        wait_kept(stage, later, files=1)
        assert stage.segments(new) == []


@contextlib.contextmanager
def _on(root: Path) -> Iterator[Stage]:
    with with_spool(root, Layout.DOCKER) as stage:
        yield stage.start()


def test_on_a_disk_that_is_full_rotated_files_are_kept_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    with tmpfs(tmp_path / "node", "size=256k"), _on(tmp_path) as stage:
        made = stage.run("web")
        stage.node.write(made, "file 1")
        wait_kept(stage, made, files=1)
        with contextlib.suppress(OSError), (tmp_path / "node" / "filler").open("wb") as filler:
            while True:
                filler.write(b"x" * 4096)
                filler.flush()
        for files in (2, 3):
            stage.node.rotate(made)
            wait_kept(stage, made, files=files)
        for path in made.log.parent.glob(f"{made.log.name}.*"):
            path.unlink()
        assert "file 1" in stage.segments(made)[0].read_text()
        assert "can't be kept" not in stage.watcher.log


def bound(node: Path, *, options: str = "") -> list[str]:
    """Give a command that runs where the node's folder is a mount of its own."""
    remount = f" && mount -o remount,bind,{options} '{node}'" if options else ""
    return in_a_mount_namespace(f"mount --bind '{node}' '{node}'{remount}")


def test_a_mount_that_turns_read_only_is_told_and_got_over(tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.mkdir()
    with with_spool(tmp_path, Layout.DOCKER, prefix=bound(node)) as stage:

        def remount(options: str) -> None:
            enter = ["nsenter", "--mount", "--target", str(stage.watcher.pid)]
            subprocess.run([*enter, "mount", "-o", f"remount,bind,{options}", node], check=True)

        stage.start()
        old, unwanted = stage.run("old"), stage.run("unwanted")
        wait_kept(stage, old, files=1)
        wait_kept(stage, unwanted, files=1)
        remount("ro")
        remedy = REMEDIES[errno.EROFS]
        stage.node.rotate(old)
        stage.watcher.wait_for_log("the newest file of default/old, container main, can't be kept")
        stage.watcher.wait_for(
            lambda: explained(stage, "old")["trouble"].endswith(remedy), what="the trouble explained"
        )
        new = stage.run("new")
        wait_by_path(stage, new)
        stage.watcher.wait_for_log(f"it can't be kept in the spool: {node}/spool: {os.strerror(errno.EROFS)}")
        stage.show(unwanted, annotations={"kubernetes-log-watcher/exclude": "true"})
        stage.watcher.wait_for_log("segments can't be removed")
        stage.watcher.wait_for(
            lambda: "segments can't be removed" in "".join(asked(stage, "status")["problems"]),
            what="a problem",
        )
        assert len(stage.segments(unwanted)) == 1
        remount("rw")
        wait_kept(stage, old, files=2)
        stage.watcher.wait_for(lambda: stage.segments(unwanted) == [], what="the end of what nobody wants")
        wait_by_path(stage, new)
        later = stage.run("later")
        wait_kept(stage, later, files=1)
        assert remedy in checked(stage, bound(node, options="ro"))
