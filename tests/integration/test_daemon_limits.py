"""Much at once, and too little of everything: the watcher lives on and catches up."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from daemon_support import CART, Stage, layouts, staged
from kube_log_watcher_core import Layout
from mount_support import allow_inotify, without_inotify

DOCKER = Layout.DOCKER
INTERVAL = 0.5


def follows_exactly(stage: Stage, count: int) -> bool:
    """Tell whether so many logs are followed by every shipper."""
    return (
        len(stage.agent_json()["logs"]) == count
        and len(os.listdir(stage.jobs)) == count
        and len(os.listdir(stage.tree)) == count
        and len(os.listdir(stage.dest)) == count
    )


@layouts
def test_two_hundred_pods_that_come_at_once_are_all_followed_and_all_let_go(
    tmp_path: Path, layout: Layout
) -> None:
    with staged(tmp_path, layout) as stage:
        pods = [stage.run(f"pod-{number}") for number in range(200)]
        stage.watcher.wait_for(lambda: follows_exactly(stage, 200), what="following all")
        assert stage.follows(pods[0], pods[99], pods[199])
        for pod in pods:
            stage.end(pod)
        stage.watcher.wait_for(lambda: follows_exactly(stage, 0), what="letting go of all")


@layouts
def test_pods_that_live_for_a_moment_leave_nothing_behind(tmp_path: Path, layout: Layout) -> None:
    with staged(tmp_path, layout) as stage:
        for number in range(50):
            stage.end(stage.run(f"brief-{number}"))
        stays = stage.run("stays")
        stage.wait_followed(stays)
        stage.watcher.wait_for(lambda: follows_exactly(stage, 1), what="following one")
        assert stage.watcher.running


def test_with_no_descriptors_left_it_lives_on_and_catches_up(tmp_path: Path) -> None:
    with staged(tmp_path, DOCKER, interval=INTERVAL) as stage:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        before = stage.config.read_bytes()
        soft, hard = resource.prlimit(stage.watcher.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(stage.watcher.pid, resource.RLIMIT_NOFILE, (4, hard))
        two = stage.run("cart-1", labels=CART)
        stage.watcher.wait_for_log("Too many open files")
        stage.api.cut_watches()
        assert stage.config.read_bytes() == before
        assert stage.job_file(one).exists()
        resource.prlimit(stage.watcher.pid, resource.RLIMIT_NOFILE, (soft, hard))
        stage.wait_followed(one, two)


def test_without_inotify_the_node_is_polled_until_it_can_be_had_again(tmp_path: Path) -> None:
    with staged(tmp_path, DOCKER, interval=INTERVAL, prefix=without_inotify()) as stage:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        stage.watcher.wait_for_log("inotify can't be had")
        allow_inotify(stage.watcher.pid)
        stage.watcher.wait_for_log("inotify works again")
        stage.wait_followed(stage.run("cart-1", labels=CART))
        assert stage.watcher.log.count("inotify can't be had") == 1


@layouts
def test_a_containers_folder_that_is_replaced_by_another_is_looked_at_anew(
    tmp_path: Path, layout: Layout
) -> None:
    with staged(tmp_path, layout) as stage:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        folder = stage.node.containers_path
        folder.rename(folder.with_name("away"))
        folder.mkdir()
        two = stage.run("cart-1", labels=CART)
        stage.wait_followed(two)
        stage.wait_ignored(one)
        three = stage.run("cart-2", labels=CART)
        stage.wait_followed(two, three)


@layouts
def test_a_containers_folder_that_goes_for_a_while_takes_nothing_away(tmp_path: Path, layout: Layout) -> None:
    with staged(tmp_path, layout, interval=INTERVAL) as stage:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        before = stage.identities()
        folder = stage.node.containers_path
        folder.rename(folder.with_name("away"))
        stage.watcher.wait_for_log("can't be listed, what is configured stays")
        assert stage.identities() == before
        folder.with_name("away").rename(folder)
        stage.watcher.wait_for_log("can be listed again")
        stage.wait_followed(one, stage.run("cart-1", labels=CART))
        assert stage.watcher.log.count("can't be listed") == 1
