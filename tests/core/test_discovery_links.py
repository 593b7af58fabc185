"""The kubelet's folder of links as the containers folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from discovery_support import Discover, collect_until, discoveries, obstacle_of, only, reason_of
from kube_log_watcher_core.models import Layout, Reason
from kube_log_watcher_testing.fake_node import FakeNode

ID = "ab" * 32


@pytest.fixture
def discover() -> Iterator[Discover]:
    with discoveries() as made:
        yield made


@pytest.fixture
def node(tmp_path: Path) -> FakeNode:
    return FakeNode(tmp_path, Layout.CRI)


@pytest.fixture
def links(tmp_path: Path, node: FakeNode) -> Path:
    assert node.layout is Layout.CRI
    return tmp_path / "containers"


def test_a_link_gives_what_its_pods_folder_gives(discover: Discover, node: FakeNode, links: Path) -> None:
    made = node.add(pod="web", namespace="shop", container="app", restart=2)
    assert discover(links).scan() == discover(node.containers_path).scan()
    assert only(discover(links).scan()).id == made.id


def test_links_are_not_looked_at_where_only_docker_is_asked_for(
    discover: Discover, node: FakeNode, links: Path
) -> None:
    node.add(pod="web")
    assert discover(links, layout="docker").scan() == ()


def test_an_over_long_link_brings_the_run_that_it_does_not_point_at(
    discover: Discover, node: FakeNode, links: Path
) -> None:
    """After a restart of the node such a link still points at 0.log while 1.log is live."""
    made = node.add(pod="very-long-" + "x" * 180, container="container")
    made.log.with_name("1.log").touch()
    assert [container.restart_count for container in discover(links).scan()] == [0, 1]


def test_stray_files_and_odd_links_harm_nobody(discover: Discover, node: FakeNode, links: Path) -> None:
    made = node.add(pod="web")
    (links / "stray.log").touch()
    (links / "folder.log").mkdir()
    (links / "link.txt").symlink_to(made.log)
    (links / "odd.log").symlink_to("/nowhere/odd.log")
    found = {container.key: container for container in discover(links).scan()}
    assert reason_of(found.pop("odd.log")) is Reason.NOT_KUBERNETES
    assert [container.id for container in found.values()] == [made.id]


def test_pods_that_are_not_mounted_are_named(discover: Discover, tmp_path: Path) -> None:
    links = tmp_path / "containers"
    links.mkdir()
    pods = tmp_path / "not-mounted" / "pods"
    (links / f"web_shop_app-{ID}.log").symlink_to(pods / "shop_web_1234-5678" / "app" / "0.log")
    found = only(discover(links).scan())
    assert (found.key, found.id) == ("shop/web/1234-5678/app/0", ID)
    assert obstacle_of(found).reason is Reason.NO_LOG
    assert f"mount the host's folder {pods} " in obstacle_of(found).detail


def test_a_link_to_a_run_that_went_has_no_log(discover: Discover, node: FakeNode, links: Path) -> None:
    made = node.add(pod="web")
    made.log.unlink()
    assert reason_of(only(discover(links).scan())) is Reason.NO_LOG


def test_a_chain_to_docker_ends_at_the_log(
    discover: Discover, node: FakeNode, links: Path, tmp_path: Path
) -> None:
    made = node.add(pod="web")
    target = tmp_path / "docker" / made.id / f"{made.id}-json.log"
    target.parent.mkdir(parents=True)
    made.log.rename(target)
    made.log.symlink_to(target)
    found = only(discover(links, roots=(tmp_path,)).scan())
    assert (found.layout, found.id, found.log_path) == (Layout.DOCKER, made.id, target)
    assert (found.pod_uid, found.restart_count) == (made.uid, 0)


def test_a_link_over_another_link_finds_the_pods_folder(
    discover: Discover, node: FakeNode, links: Path, tmp_path: Path
) -> None:
    made = node.add(pod="web")
    assert made.link is not None
    made.link.rename(tmp_path / "between.log")
    made.link.symlink_to("../between.log")
    assert only(discover(links).scan()).key == f"default/web/{made.uid}/main/0"


def test_a_link_straight_to_docker_is_known_by_its_name(discover: Discover, tmp_path: Path) -> None:
    links, target = tmp_path / "containers", tmp_path / "docker" / ID / f"{ID}-json.log"
    links.mkdir()
    target.parent.mkdir(parents=True)
    target.touch()
    (links / f"web_shop_app-{ID}.log").symlink_to(target)
    found = only(discover(links, roots=(tmp_path,)).scan())
    assert (found.key, found.id, found.layout, found.log_path) == (ID, ID, Layout.DOCKER, target)
    assert (found.namespace, found.pod_name, found.name, found.pod_uid) == ("shop", "web", "app", None)


def test_a_loop_of_links_ends(discover: Discover, tmp_path: Path) -> None:
    links = tmp_path / "containers"
    links.mkdir()
    (links / f"web_shop_app-{ID}.log").symlink_to(f"web_shop_app-{ID}.log")
    assert reason_of(only(discover(links).scan())) is Reason.NO_LOG


def test_restarts_and_removals_are_seen_through_links(
    discover: Discover, node: FakeNode, links: Path
) -> None:
    discovery = discover(links)
    assert discovery.scan() == ()
    first = node.add(pod="web")
    collect_until(discovery, lambda found: [one.id for one in found] == [first.id])
    second = node.restart(first)
    collect_until(discovery, lambda found: [one.id for one in found] == [first.id, second.id])
    node.remove(first)
    collect_until(discovery, lambda found: [one.id for one in found] == [second.id])
    node.rotate(second)
    assert only(discovery.collect()).log_path == second.log
    node.remove(second)
    collect_until(discovery, lambda found: found == ())


def test_a_target_that_comes_after_its_link_is_found_without_an_event(
    discover: Discover, tmp_path: Path
) -> None:
    links, pods = tmp_path / "containers", tmp_path / "pods"
    links.mkdir()
    log = pods / "shop_web_1234-5678" / "app" / "0.log"
    (links / f"web_shop_app-{ID}.log").symlink_to(log)
    discovery = discover(links, roots=(tmp_path,))
    assert reason_of(only(discovery.scan())) is Reason.NO_LOG
    assert discovery.poll_seconds() == pytest.approx(1.0)
    log.parent.mkdir(parents=True)
    log.touch()
    assert only(discovery.collect()).log_path == log
    assert discovery.poll_seconds() is None
