"""Pods' folders as the kubelet leaves them, listed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from discovery_support import Discover, discoveries, obstacle_of, only, reason_of
from kube_log_watcher_core.models import Layout, Reason
from kube_log_watcher_testing.fake_node import FakeContainer, FakeNode

ID = "ab" * 32
HASH = "8cd995c408aa35e7096e5f936abd38df"


@pytest.fixture
def discover() -> Iterator[Discover]:
    with discoveries() as made:
        yield made


@pytest.fixture
def node(tmp_path: Path) -> FakeNode:
    return FakeNode(tmp_path, Layout.CRI)


def key_of(made: FakeContainer) -> str:
    return f"{made.namespace}/{made.pod}/{made.uid}/{made.name}/{made.restart}"


def link_of(made: FakeContainer) -> Path:
    assert made.link is not None
    return made.link


def test_a_container_is_known_with_all_that_the_folders_tell(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web", namespace="shop", container="app", restart=3)
    found = only(discover(node.containers_path).scan())
    assert (found.key, found.id, found.layout) == (key_of(made), made.id, Layout.CRI)
    assert (found.namespace, found.pod_name, found.name, found.pod_uid) == ("shop", "web", "app", made.uid)
    assert (found.restart_count, found.image, found.log_path) == (3, None, made.log)
    assert found.obstacle is None


def test_a_folders_mtime_is_not_taken_for_its_birth(discover: Discover, node: FakeNode) -> None:
    """It moves with each container that joins: an old log would look younger than its pod's successor."""
    node.add(pod="web")
    assert only(discover(node.containers_path).scan()).created is None


def test_a_static_pods_folder_carries_its_hash(discover: Discover, node: FakeNode) -> None:
    node.add(pod="static-web-node", uid=HASH)
    assert only(discover(node.containers_path).scan()).pod_uid == HASH


def test_each_run_with_a_log_is_a_container(discover: Discover, node: FakeNode) -> None:
    first = node.add(pod="web")
    second = node.restart(first)
    found = discover(node.containers_path).scan()
    assert [(container.id, container.restart_count) for container in found] == [(first.id, 0), (second.id, 1)]


def test_only_live_logs_are_runs(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web")
    for _ in range(3):
        node.rotate(made)
    for name in ("0.log.20261122-085007.tmp", "x.log", "readme", "00.log"):
        made.log.with_name(name).touch()
    assert only(discover(node.containers_path).scan()).log_path == made.log


def test_empty_folders_and_stray_files_are_nobodys(discover: Discover, node: FakeNode) -> None:
    pods = node.containers_path
    (pods / f"shop_never-image_{HASH}").mkdir()
    (pods / f"shop_created_{HASH}" / "app").mkdir(parents=True)
    (pods / "lost+found").mkdir()
    (pods / f"shop_file_{HASH}").touch()
    (pods / f"shop_web_{HASH}").mkdir()
    (pods / f"shop_web_{HASH}" / "stray").touch()
    assert discover(pods).scan() == ()


def test_pods_are_not_looked_at_where_only_docker_is_asked_for(discover: Discover, node: FakeNode) -> None:
    node.add(pod="web")
    assert discover(node.containers_path, layout="docker").scan() == ()


def test_a_run_without_a_link_has_no_id_yet(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web")
    link_of(made).unlink()
    found = only(discover(node.containers_path).scan())
    assert (found.id, found.obstacle) == (None, None)


def test_a_link_matches_wherever_the_pods_are_mounted(
    discover: Discover, node: FakeNode, tmp_path: Path
) -> None:
    """Links name the host's path, which need not be ours."""
    made = node.add(pod="web")
    link = link_of(made)
    link.unlink()
    link.symlink_to(f"/var/log/pods/{made.log.relative_to(tmp_path / 'pods')}")
    assert only(discover(node.containers_path).scan()).id == made.id


def test_a_link_whose_names_are_anothers_tells_nothing(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web")
    link_of(made).rename(link_of(made).with_name(f"other_default_main-{ID}.log"))
    assert only(discover(node.containers_path).scan()).id is None


def test_the_newest_of_two_links_to_a_log_tells_its_id(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web")
    stale = link_of(made).with_name(f"web_default_main-{ID}.log")
    stale.symlink_to(made.log)
    os.utime(stale, (1, 1), follow_symlinks=False)
    assert only(discover(node.containers_path).scan()).id == made.id


def test_an_id_once_told_outlives_its_link(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web")
    discovery = discover(node.containers_path)
    before = discovery.scan()
    link_of(made).unlink()
    assert discovery.scan() is before


def test_an_over_long_name_has_no_id_and_all_its_runs(discover: Discover, node: FakeNode) -> None:
    """Its link is cut, and goes on pointing at the first run."""
    made = node.add(pod="very-long-" + "x" * 180, container="container-with-a-rather-long-name")
    assert len(link_of(made).name) == 255
    made.log.with_name("1.log").touch()
    found = discover(node.containers_path).scan()
    assert [(container.id, container.restart_count) for container in found] == [(None, 0), (None, 1)]


def test_a_log_in_rotation_stays(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web")
    discovery = discover(node.containers_path)
    before = discovery.scan()
    made.log.rename(f"{made.log}.20261122-085007")
    assert discovery.scan() is before


def test_a_log_that_was_only_seen_rotated_is_waited_for(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web")
    made.log.rename(f"{made.log}.20261122-085007")
    discovery = discover(node.containers_path)
    assert reason_of(only(discovery.scan())) is Reason.NO_LOG
    made.log.touch()
    assert only(discovery.scan()).log_path == made.log


def test_a_run_whose_files_went_is_gone(discover: Discover, node: FakeNode) -> None:
    first = node.add(pod="web")
    second = node.restart(first)
    discovery = discover(node.containers_path)
    discovery.scan()
    node.remove(first)
    assert only(discovery.scan()).id == second.id
    node.remove(second)
    assert discovery.scan() == ()


def test_a_container_that_joins_changes_nothing_about_the_others(discover: Discover, node: FakeNode) -> None:
    """The time of the pod's folder moves on; the container's does not."""
    made = node.add(pod="web")
    discovery = discover(node.containers_path)
    before = only(discovery.scan())
    node.add(pod="web", container="debugger")
    os.utime(made.log.parent.parent, (1, 1))
    assert before in discovery.scan()


def chain(made: FakeContainer, docker: Path) -> Path:
    """Let a run's log be a link to Docker's, as cri-dockerd does; give Docker's."""
    target = docker / made.id / f"{made.id}-json.log"
    target.parent.mkdir(parents=True)
    made.log.rename(target)
    made.log.symlink_to(target)
    return target


def test_a_log_of_cri_dockerd_is_dockers(discover: Discover, node: FakeNode, tmp_path: Path) -> None:
    made = node.add(pod="web")
    link_of(made).unlink()
    target = chain(made, tmp_path / "docker")
    discovery = discover(node.containers_path, roots=(tmp_path,))
    found = only(discovery.scan())
    assert (found.key, found.layout, found.id, found.log_path) == (
        key_of(made),
        Layout.DOCKER,
        made.id,
        target,
    )


def test_a_log_of_cri_dockerd_stays_through_rotation(
    discover: Discover, node: FakeNode, tmp_path: Path
) -> None:
    """Nothing watches Docker's folder here, so it is looked at again soon."""
    target = chain(node.add(pod="web"), tmp_path / "docker")
    discovery = discover(node.containers_path, roots=(tmp_path,))
    before = discovery.scan()
    assert discovery.poll_seconds() is None
    target.rename(f"{target}.1")
    assert discovery.scan() == before
    assert discovery.poll_seconds() == pytest.approx(1.0)
    target.touch()
    assert discovery.collect() == before
    assert discovery.poll_seconds() is None


def test_a_target_that_is_not_mounted_is_named(discover: Discover, node: FakeNode, tmp_path: Path) -> None:
    made = node.add(pod="web")
    target = chain(made, tmp_path / "docker")
    target.unlink()
    target.parent.rmdir()
    (tmp_path / "docker").rmdir()
    obstacle = obstacle_of(only(discover(node.containers_path, roots=(tmp_path,)).scan()))
    assert obstacle.reason is Reason.NO_LOG
    assert f"mount the host's folder {tmp_path / 'docker'} " in obstacle.detail


def test_a_target_outside_the_roots_names_dockers_folder(
    discover: Discover, node: FakeNode, tmp_path: Path
) -> None:
    chain(node.add(pod="web"), tmp_path / "docker")
    obstacle = obstacle_of(only(discover(node.containers_path).scan()))
    assert obstacle.reason is Reason.OUTSIDE_ROOTS
    assert f"add {tmp_path / 'docker'} to WATCHER_LOG_ROOTS" in obstacle.detail
