"""Docker's folders, listed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from discovery_support import DATA, Discover, discoveries, obstacle_of, only, reason_of
from kube_log_watcher_core.models import Layout, Reason
from kube_log_watcher_testing.fake_node import FakeContainer, FakeNode

ID = "ab" * 32


@pytest.fixture
def discover() -> Iterator[Discover]:
    with discoveries() as made:
        yield made


@pytest.fixture
def node(tmp_path: Path) -> FakeNode:
    return FakeNode(tmp_path, Layout.DOCKER)


def config_of(container: FakeContainer) -> Path:
    return container.log.with_name("config.v2.json")


def test_a_container_is_known_with_all_that_docker_tells(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web", namespace="shop", container="app", image="team/app:2", restart=3)
    found = only(discover(node.containers_path).scan())
    assert (found.key, found.id, found.layout) == (made.id, made.id, Layout.DOCKER)
    assert (found.namespace, found.pod_name, found.name, found.pod_uid) == ("shop", "web", "app", made.uid)
    assert (found.restart_count, found.image, found.log_path) == (3, "team/app:2", made.log)
    assert found.created == pytest.approx(1795336044.783, abs=0.01)
    assert found.obstacle is None


def test_the_log_is_where_the_folder_is_mounted_not_where_docker_says(
    discover: Discover, node: FakeNode, tmp_path: Path
) -> None:
    made = node.add(pod="web")
    mounted = tmp_path / "mnt"
    (tmp_path / "docker").rename(mounted)
    assert (
        only(discover(mounted / "containers").scan()).log_path
        == mounted / "containers" / made.id / made.log.name
    )


def test_containers_are_sorted_by_key(discover: Discover, node: FakeNode) -> None:
    keys = [container.id for container in (node.add(pod=f"pod-{number}") for number in range(20))]
    assert [container.key for container in discover(node.containers_path).scan()] == sorted(keys)


@pytest.mark.parametrize("layout", ["docker", "auto"])
def test_what_is_no_containers_folder_is_ignored(discover: Discover, node: FakeNode, layout: str) -> None:
    for name in ("lost+found", "tmp", ID[:-1], "a_b_c.d"):
        (node.containers_path / name).mkdir()
    (node.containers_path / "stray.txt").touch()
    (node.containers_path / "stray.log").touch()
    (node.containers_path / ID).touch()
    made = node.add(pod="web")
    assert only(discover(node.containers_path, layout=layout).scan()).key == made.id


def test_docker_folders_are_not_looked_at_where_only_cri_is_asked_for(
    discover: Discover, node: FakeNode
) -> None:
    node.add(pod="web")
    assert discover(node.containers_path, layout="cri").scan() == ()


def test_a_folder_without_anything_waits_for_its_config(discover: Discover, node: FakeNode) -> None:
    (node.containers_path / ID).mkdir()
    found = only(discover(node.containers_path).scan())
    assert (found.key, found.id) == (ID, ID)
    assert obstacle_of(found).reason is Reason.NO_CONFIG
    assert "not there" in obstacle_of(found).detail


def test_a_container_that_has_not_started_has_no_log(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web", started=False)
    discovery = discover(node.containers_path)
    found = only(discovery.scan())
    assert found.pod_name == "web"
    assert reason_of(found) is Reason.NO_LOG
    assert str(made.log) in obstacle_of(found).detail
    node.start(made)
    assert only(discovery.scan()).log_path == made.log


def test_a_pause_container_is_never_followed(discover: Discover, node: FakeNode) -> None:
    node.add_pause(pod="web")
    assert reason_of(only(discover(node.containers_path).scan())) is Reason.PAUSE


def test_a_container_of_dockers_own_is_not_kubernetes(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web", labels={"io.kubernetes.pod.namespace": ""})
    found = obstacle_of(only(discover(node.containers_path).scan()))
    assert found.reason is Reason.NOT_KUBERNETES
    assert "io.kubernetes.pod.namespace" in found.detail
    assert made.log.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"Config": {"Labels"',
        b"\x00\xff\xfe",
        b"[" * 100_000,
        b'{"Config": {"Labels": 7}}',
        b" " * (17 << 20),
    ],
    ids=["empty", "half", "binary", "deep", "types", "huge"],
)
def test_a_broken_config_is_an_obstacle_until_it_is_repaired(
    discover: Discover, node: FakeNode, content: bytes
) -> None:
    made, other = node.add(pod="web"), node.add(pod="other")
    good = config_of(made).read_bytes()
    config_of(made).write_bytes(content)
    discovery = discover(node.containers_path)
    found = {container.key: container for container in discovery.scan()}
    assert reason_of(found[made.id]) is Reason.BROKEN_CONFIG
    assert found[other.id].obstacle is None
    config_of(made).write_bytes(good)
    assert [container.obstacle for container in discovery.scan()] == [None, None]


@pytest.mark.parametrize("kind", ["fifo", "folder", "link"])
def test_a_config_that_is_no_file_neither_blocks_nor_misleads(
    discover: Discover, node: FakeNode, tmp_path: Path, kind: str
) -> None:
    config = config_of(node.add(pod="web"))
    config.rename(tmp_path / "elsewhere.json")
    if kind == "fifo":
        os.mkfifo(config)
    elif kind == "folder":
        config.mkdir()
    else:
        config.symlink_to(tmp_path / "elsewhere.json")
    assert reason_of(only(discover(node.containers_path).scan())) is Reason.BROKEN_CONFIG


def test_what_was_known_outlives_a_broken_or_removed_config(discover: Discover, node: FakeNode) -> None:
    """Files of a container that is removed go one by one, in no fixed order."""
    made = node.add(pod="web")
    discovery = discover(node.containers_path)
    before = discovery.scan()
    config_of(made).write_bytes(b"{")
    assert discovery.scan() is before
    config_of(made).unlink()
    assert discovery.scan() == before
    made.log.unlink()
    found = only(discovery.scan())
    assert (found.pod_name, reason_of(found)) == ("web", Reason.NO_LOG)


def test_a_container_whose_folder_went_is_gone(discover: Discover, node: FakeNode) -> None:
    made, other = node.add(pod="web"), node.add(pod="other")
    discovery = discover(node.containers_path)
    discovery.scan()
    node.remove(made)
    assert only(discovery.scan()).key == other.id


def test_a_log_in_rotation_stays(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web")
    discovery = discover(node.containers_path)
    before = discovery.scan()
    made.log.rename(f"{made.log}.1")
    assert discovery.scan() is before
    made.log.touch()
    assert discovery.scan() == before


def test_unchanged_containers_are_the_same_objects(discover: Discover, node: FakeNode) -> None:
    kept, restarted = node.add(pod="web"), node.add(pod="other", started=False)
    discovery = discover(node.containers_path)
    before = {container.key: container for container in discovery.scan()}
    assert discovery.scan() is discovery.scan()
    node.start(restarted)
    after = {container.key: container for container in discovery.scan()}
    assert after[kept.id] is before[kept.id]
    assert after[restarted.id] != before[restarted.id]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("outside", Reason.OUTSIDE_ROOTS),
        ("fifo", Reason.NOT_A_FILE),
        ("folder", Reason.NOT_A_FILE),
        ("device", Reason.NOT_A_FILE),
        ("dangling", Reason.NO_LOG),
        ("loop", Reason.NO_LOG),
    ],
)
def test_only_a_regular_file_below_the_roots_is_followed(
    discover: Discover, node: FakeNode, tmp_path: Path, kind: str, reason: Reason
) -> None:
    log = node.add(pod="web").log
    log.rename(tmp_path / "outside.log")
    targets = {
        "outside": tmp_path / "outside.log",
        "device": Path("/dev/null"),
        "dangling": tmp_path / "absent" / "x.log",
        "loop": Path(log.name),
    }
    if kind in targets:
        log.symlink_to(targets[kind])
    elif kind == "fifo":
        os.mkfifo(log)
    else:
        log.mkdir()
    assert reason_of(only(discover(node.containers_path).scan())) is reason


def test_a_log_outside_the_roots_says_which_root_to_add(
    discover: Discover, node: FakeNode, tmp_path: Path
) -> None:
    made = node.add(pod="web")
    (tmp_path / "data").mkdir()
    made.log.rename(tmp_path / "data" / "x.log")
    made.log.symlink_to(tmp_path / "data" / "x.log")
    detail = obstacle_of(only(discover(node.containers_path).scan())).detail
    assert f"add {tmp_path / 'data'} to WATCHER_LOG_ROOTS" in detail


def test_a_root_whose_name_another_one_begins_with_is_not_that_root(
    discover: Discover, node: FakeNode, tmp_path: Path
) -> None:
    made = node.add(pod="web")
    beside = tmp_path / "docker" / "containers-2"
    beside.mkdir()
    made.log.rename(beside / "x.log")
    made.log.symlink_to(beside / "x.log")
    assert reason_of(only(discover(node.containers_path).scan())) is Reason.OUTSIDE_ROOTS


def test_links_on_the_way_are_resolved(discover: Discover, node: FakeNode, tmp_path: Path) -> None:
    """The containers folder may itself be a link, as may a container's folder."""
    made, moved = node.add(pod="web"), node.add(pod="moved")
    (tmp_path / "link").symlink_to(node.containers_path)
    folder = moved.log.parent
    folder.rename(tmp_path / "docker" / "elsewhere")
    folder.symlink_to(tmp_path / "docker" / "elsewhere")
    discovery = discover(tmp_path / "link", roots=(tmp_path / "link", tmp_path / "docker"))
    found = {container.key: container.log_path for container in discovery.scan()}
    assert found == {made.id: made.log, moved.id: tmp_path / "docker" / "elsewhere" / moved.log.name}


def test_a_recorded_container_comes_out(discover: Discover, tmp_path: Path) -> None:
    (tmp_path / ID).mkdir()
    (tmp_path / ID / "config.v2.json").write_bytes((DATA / "config.v2.created.json").read_bytes())
    found = only(discover(tmp_path).scan())
    assert (found.namespace, found.pod_name, found.name, reason_of(found)) == (
        "default",
        "web-1",
        "app",
        Reason.NO_LOG,
    )
