"""The node itself is not well: folders come and go, the kernel has no watches left, events are lost."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from daemon_support import CART, Stage, layouts, staged
from kube_log_watcher_core import Layout
from mount_support import in_a_mount_namespace
from support import wait_until

DOCKER, CRI = Layout.DOCKER, Layout.CRI
INTERVAL = 0.5
QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")


def test_a_containers_folder_that_is_unmounted_and_mounted_again_takes_nothing_away(tmp_path: Path) -> None:
    """What is below the mount point is an empty folder: that is no node without containers."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with Stage(tmp_path, DOCKER, interval=INTERVAL) as stage:
        host = stage.node.containers_path
        seen = tmp_path / "mnt"
        seen.mkdir()
        stage.watcher.command = [
            *in_a_mount_namespace(f"mount --bind '{host}' '{seen}'"),
            *stage.watcher.command,
        ]
        stage.watcher.environ |= {"WATCHER_CONTAINERS_PATH": seen, "WATCHER_LOG_PATH_MAP": f"{seen}={host}"}
        one = stage.run("shop-1")
        stage.start()
        stage.wait_followed(one)
        before = stage.identities()
        enter = ["nsenter", "--mount", "--target", str(stage.watcher.pid)]
        subprocess.run([*enter, "umount", str(seen)], check=True)
        stage.watcher.wait_for_log("can't be listed, what is configured stays")
        assert stage.identities() == before
        subprocess.run([*enter, "mount", "--bind", str(host), str(seen)], check=True)
        stage.watcher.wait_for_log("can be listed again")
        stage.wait_followed(one, stage.run("cart-1", labels=CART))


@layouts
def test_containers_that_live_50_ms_leave_nothing_and_hide_nobody(tmp_path: Path, layout: Layout) -> None:
    with staged(tmp_path, layout) as stage:
        for number in range(10):
            brief = stage.run(f"brief-{number}")
            moment = time.monotonic() + 0.05
            wait_until(lambda moment=moment: time.monotonic() >= moment)  # type: ignore[misc]
            stage.end(brief)
        stays = stage.run("stays")
        stage.wait_followed(stays)
        folders = (stage.jobs, stage.tree, stage.dest)
        stage.watcher.wait_for(
            lambda: (
                len(stage.agent_json()["logs"]) == 1
                and [len(os.listdir(each)) for each in folders] == [1] * 3
            ),
            what="one log and nothing of the others",
        )
        assert "Traceback" not in stage.watcher.log


def test_with_no_watches_left_the_node_is_polled_until_there_are_some_again(tmp_path: Path) -> None:
    """The kernel says ENOSPC; the limit is one of a user namespace, so that nobody else notices."""
    limit = "/proc/sys/user/max_inotify_watches"
    prefix = [
        "unshare",
        "--user",
        "--map-root-user",
        "sh",
        "-c",
        f'set -e\necho 3 > {limit}\nexec "$@"',
        "sh",
    ]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no user namespaces here")
    with staged(tmp_path, DOCKER, interval=INTERVAL, prefix=prefix) as stage:
        pods = [stage.run(f"shop-{number}") for number in range(4)]
        stage.wait_followed(*pods)
        stage.watcher.wait_for_log("raise fs.inotify.max_user_watches")
        pods.append(stage.run("cart-1", labels=CART))
        stage.wait_followed(*pods)
        enter = ["nsenter", "--user", "--preserve-credentials", "--target", str(stage.watcher.pid)]
        subprocess.run([*enter, "sh", "-c", f"echo 4096 > {limit}"], check=True)
        stage.watcher.wait_for_log("inotify works again")
        stage.wait_followed(*pods, stage.run("cart-2", labels=CART))
        assert stage.watcher.log.count("inotify can't be had") == 1


@layouts
def test_events_that_overflow_are_made_up_for_by_a_listing(tmp_path: Path, layout: Layout) -> None:
    """More events than the kernel keeps, while the watcher is stopped: of what came last it hears nothing."""
    with staged(tmp_path, layout) as stage:
        goes = stage.run("goes")
        stage.wait_followed(goes)
        stage.watcher.signal(signal.SIGSTOP)
        scratch = stage.node.containers_path / "scratch"
        for _ in range(int(QUEUE.read_text()) // 2 + 1):
            scratch.touch()
            scratch.unlink()
        stage.end(goes)
        comes = stage.run("comes", labels=CART)
        stage.watcher.signal(signal.SIGCONT)
        stage.wait_followed(comes)
        stage.wait_ignored(goes)
        stage.wait_followed(stage.run("later"))
