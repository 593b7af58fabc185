"""Disks that are full, read-only, closed or in the way: the old configuration stays, and it is got over."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from daemon_support import CART, Stage, staged
from kube_log_watcher_core import Layout
from mount_support import in_a_mount_namespace
from support import soon, wait_until

DOCKER = Layout.DOCKER
SUB_FOLDERS = ("scalyr", "jobs", "tree", "dest", "state")


def seen_inside(stage: Stage) -> None:
    """Look at the shippers' folders as the watcher sees them, in its own mount namespace."""
    root = stage.root = Path(f"/proc/{stage.watcher.pid}/root{stage.root}")
    stage.config, stage.jobs, stage.tree, stage.dest = (
        root / "scalyr" / "agent.json",
        root / "jobs",
        root / "tree",
        root / "dest",
    )


def inside(stage: Stage, *command: str) -> None:
    """Run a command in the watcher's mount namespace."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    subprocess.run(["nsenter", "--mount", "--target", str(stage.watcher.pid), *command], check=True)


def complaints(stage: Stage, text: str) -> dict[str, int]:
    """Count how often each agent, and the state file, has told of something."""
    lines = [line for line in stage.watcher.log.splitlines() if text in line]
    titles = ("agent scalyr", "agent appdynamics", "agent symlinker", "the state file")
    return {title: count for title in titles if (count := sum(title in line for line in lines))}


def tmpfs_everywhere(root: Path) -> list[str]:
    """Give a command that sees a small file system of its own in the place of all that is written to."""
    for name in SUB_FOLDERS:
        (root / name).mkdir()
    return in_a_mount_namespace(
        "\n".join(f"mount -t tmpfs -o size=64k none '{root}/{name}'" for name in SUB_FOLDERS)
    )


def test_full_disks_keep_what_was_there_and_no_piece_of_the_new(tmp_path: Path) -> None:
    """Everything is full at once: configuration, jobs, links and state."""
    environ = {"WATCHER_STATE_DIR": tmp_path / "state"}
    with staged(tmp_path, DOCKER, prefix=tmpfs_everywhere(tmp_path), environ=environ) as stage:
        seen_inside(stage)
        one = stage.run("shop-1")
        stage.wait_followed(one)
        before = {folder: kept for folder, kept in stage.identities().items() if "tree" not in folder}
        fillers = [folder / "filler" for folder in (*stage.folders, stage.config.parents[1] / "state")]
        for filler in fillers:
            space = os.statvfs(filler.parent)
            filler.write_bytes(b"x" * (space.f_bavail * space.f_frsize))
        two = stage.run("cart-1", labels=CART)
        stage.watcher.wait_for_log("No space left on device", times=3)
        now = stage.identities()
        assert {name: now.get(name) for name in before} == before
        assert stage.follows(one)
        wait_until(lambda: stage.leftovers() == set())
        for filler in fillers:
            filler.unlink()
        stage.wait_followed(one, two)
        assert set(complaints(stage, "No space left").values()) == {1}


def test_read_only_folders_keep_what_was_there_and_are_told_with_the_remedy(tmp_path: Path) -> None:
    with staged(tmp_path, DOCKER, prefix=tmpfs_everywhere(tmp_path)) as stage:
        seen_inside(stage)
        one = stage.run("shop-1")
        stage.wait_followed(one)
        before = stage.identities()
        for name in SUB_FOLDERS:
            inside(stage, "mount", "-o", "remount,ro", f"{tmp_path}/{name}")
        two = stage.run("cart-1", labels=CART)
        stage.watcher.wait_for_log("Read-only file system: mount the folder read-write", times=3)
        assert stage.identities() == before
        for name in SUB_FOLDERS:
            inside(stage, "mount", "-o", "remount,rw", f"{tmp_path}/{name}")
        stage.wait_followed(one, two)
        assert set(complaints(stage, "Read-only").values()) == {1}


WITHOUT_PRIVILEGES = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search,-fowner",
    "--inh-caps=-dac_override,-dac_read_search,-fowner",
)


def unprivileged() -> Sequence[str]:
    """Give the beginning of a command that permission bits bind, although it is root's."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    return WITHOUT_PRIVILEGES


def test_folders_that_may_not_be_written_to_keep_what_was_there(tmp_path: Path) -> None:
    with staged(tmp_path, DOCKER, prefix=unprivileged()) as stage:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        before = stage.identities()
        for folder in stage.folders:
            folder.chmod(0o555)
        two = stage.run("cart-1", labels=CART)
        stage.watcher.wait_for_log("Permission denied", times=3)
        assert stage.identities() == before
        for folder in stage.folders:
            folder.chmod(0o755)
        stage.wait_followed(one, two)
        assert set(complaints(stage, "Permission denied").values()) == {1}


@pytest.mark.parametrize("bits", [0o000, 0o100], ids=["nothing", "only-through"])
def test_a_containers_folder_that_can_not_be_read_takes_nothing_away(tmp_path: Path, bits: int) -> None:
    with staged(tmp_path, DOCKER, prefix=unprivileged(), interval=0.3) as stage:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        before = stage.identities()
        stage.node.containers_path.chmod(bits)
        stage.watcher.wait_for_log("can't be listed, what is configured stays")
        assert stage.identities() == before
        stage.node.containers_path.chmod(0o755)
        stage.watcher.wait_for_log("can be listed again")
        stage.wait_followed(one, stage.run("cart-1", labels=CART))
        assert stage.watcher.log.count("can't be listed") == 1


def run_check(stage: Stage) -> subprocess.CompletedProcess[str]:
    """Run ``check`` where the watcher would run."""
    variables: Mapping[str, object] = {"HOME": stage.root, **stage.watcher.environ}
    return subprocess.run(
        [*stage.watcher.command[:-1], "check"],
        env={name: str(value) for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_configuration_that_is_mounted_by_itself_is_told_by_check_and_at_work(tmp_path: Path) -> None:
    """Kubernetes' subPath mounts a single file: nothing can be renamed onto it (EBUSY)."""
    folder = tmp_path / "scalyr with a space"
    folder.mkdir()
    config = folder / "agent.json"
    config.write_text('{"logs": []}')
    prefix = in_a_mount_namespace(f"mount --bind '{config}' '{config}'")
    environ = {"WATCHER_SCALYR_CONFIG_PATH": config}
    with staged(tmp_path, DOCKER, prefix=prefix, environ=environ) as stage:
        checked = run_check(stage)
        assert checked.returncode == os.EX_CONFIG
        assert f"{config} is mounted by itself" in checked.stdout
        assert "mount the folder" in checked.stdout
        one = stage.run("shop-1")
        stage.watcher.wait_for(lambda: stage.job(one) and stage.link(one).name, what="the others")
        stage.watcher.wait_for_log("Device or resource busy: something is mounted there: mount the folder")
        assert config.read_text() == '{"logs": []}'
        assert complaints(stage, "Device or resource busy") == {"agent scalyr": 1}


def test_check_is_content_where_folders_are_mounted(tmp_path: Path) -> None:
    with Stage(tmp_path, DOCKER, prefix=tmpfs_everywhere(tmp_path)) as stage:
        checked = run_check(stage)
        assert "mounted by itself" not in checked.stdout
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_one_pods_file_that_can_not_be_written_holds_up_nobody(tmp_path: Path) -> None:
    """A folder stands where one container's job file belongs: others come and go as ever."""
    with staged(tmp_path, DOCKER) as stage:
        kept = stage.run("kept")
        one = stage.node.add(pod="one")
        stage.job_file(one).mkdir()
        stage.wait_followed(kept)
        stage.show(one)
        stage.watcher.wait_for_log("agent appdynamics failed")
        with soon("all that came and went"):
            for number in range(8):
                other = stage.run(f"other-{number}")
                stage.wait_followed(other)
                stage.end(other)
                stage.wait_ignored(other)
        assert stage.follows(kept)
        assert complaints(stage, f"container-{one.id}-jobfile.job: Is a directory: a folder stands") == {
            "agent appdynamics": 1
        }
        stage.job_file(one).rmdir()
        stage.wait_followed(one)
        stage.watcher.wait_for_log("agent appdynamics works again")
