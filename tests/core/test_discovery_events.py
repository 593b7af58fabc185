"""Changes that are seen as they happen, by inotify events alone."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery_support import Discover, collect_until, discoveries, only, reason_of, watches_of
from kube_log_watcher_core.discovery import Discovery
from kube_log_watcher_core.errors import DiscoveryError
from kube_log_watcher_core.models import Layout, Reason
from kube_log_watcher_testing.fake_node import FakeContainer, FakeNode

ID = "ab" * 32


@pytest.fixture
def discover() -> Iterator[Discover]:
    with discoveries() as made:
        yield made


@pytest.fixture(params=[Layout.DOCKER, Layout.CRI])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> FakeNode:
    return FakeNode(tmp_path, request.param)


@pytest.fixture
def docker(tmp_path: Path) -> FakeNode:
    return FakeNode(tmp_path, Layout.DOCKER)


@pytest.fixture
def cri(tmp_path: Path) -> FakeNode:
    return FakeNode(tmp_path, Layout.CRI)


def is_quiet(discovery: Discovery) -> bool:
    descriptor = discovery.fileno()
    assert descriptor is not None
    return not select.select([descriptor], [], [], 0)[0]


def test_a_container_comes_restarts_and_goes(discover: Discover, node: FakeNode) -> None:
    discovery = discover(node.containers_path)
    assert discovery.scan() == ()
    assert (discovery.poll_seconds(), discovery.polling_reason) == (None, None)
    first = node.add(pod="web")
    collect_until(
        discovery, lambda found: [(one.id, one.log_path) for one in found] == [(first.id, first.log)]
    )
    second = node.restart(first)
    collect_until(discovery, lambda found: {one.log_path for one in found} == {first.log, second.log})
    node.remove(first)
    collect_until(discovery, lambda found: [one.id for one in found] == [second.id])
    node.remove(second)
    collect_until(discovery, lambda found: found == ())


def test_a_container_that_starts_later_is_seen(discover: Discover, docker: FakeNode) -> None:
    discovery = discover(docker.containers_path)
    discovery.scan()
    made = docker.add(pod="web", started=False)
    collect_until(discovery, lambda found: [reason_of(one) for one in found] == [Reason.NO_LOG])
    docker.start(made)
    collect_until(discovery, lambda found: [one.log_path for one in found] == [made.log])


def test_rotation_changes_nothing_but_the_inode(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web")
    discovery = discover(node.containers_path)
    before = discovery.scan()
    for _ in range(3):
        node.rotate(made)
        after = discovery.collect()
        assert after == before
        assert after[0].inode == made.log.stat().st_ino
        assert discovery.collect() is after


def test_lines_wake_nobody(discover: Discover, node: FakeNode) -> None:
    made = node.add(pod="web")
    discovery = discover(node.containers_path)
    before = discovery.scan()
    discovery.collect()
    node.write(made, "one", "two")
    assert is_quiet(discovery)
    assert discovery.collect() is before


@pytest.mark.parametrize("in_place", [True, False])
def test_a_repaired_config_is_read_at_once(discover: Discover, docker: FakeNode, *, in_place: bool) -> None:
    made = docker.add(pod="web")
    config = made.log.with_name("config.v2.json")
    good = config.read_bytes()
    config.write_bytes(good[:100])
    discovery = discover(docker.containers_path)
    assert reason_of(only(discovery.scan())) is Reason.BROKEN_CONFIG
    other = config if in_place else config.with_name("new")
    other.write_bytes(good)
    other.replace(config)
    collect_until(discovery, lambda found: [one.log_path for one in found] == [made.log])


def test_other_files_of_docker_are_not_looked_at(discover: Discover, docker: FakeNode) -> None:
    made = docker.add(pod="web")
    discovery = discover(docker.containers_path)
    before = discovery.scan()
    made.log.with_name("resolv.conf").touch()
    made.log.with_name(".tmp-config.v2.json1").touch()
    assert discovery.collect() is before


def test_a_link_that_comes_after_its_log_brings_the_id(discover: Discover, cri: FakeNode) -> None:
    made = cri.add(pod="web", started=False)
    discovery = discover(cri.containers_path)
    discovery.scan()
    made.log.touch()
    collect_until(discovery, lambda found: [one.id for one in found] == [None])
    assert made.link is not None
    made.link.symlink_to(made.log)
    collect_until(discovery, lambda found: [one.id for one in found] == [made.id])


@pytest.mark.parametrize("again", [False, True])
def test_a_folder_of_links_that_comes_late_is_found(
    discover: Discover, cri: FakeNode, tmp_path: Path, *, again: bool
) -> None:
    """On a node's first start the kubelet makes it right after the pods' folder."""
    links, aside = tmp_path / "containers", tmp_path / "aside"
    made = cri.add(pod="web")
    links.rename(aside)
    discovery = discover(cri.containers_path)
    assert only(discovery.scan()).id is None
    if again:
        links.mkdir()
        discovery.collect()
        links.rmdir()
        discovery.collect()
    aside.rename(links)
    collect_until(discovery, lambda found: [one.id for one in found] == [made.id])


def test_containers_of_a_moment_leave_nothing(discover: Discover, node: FakeNode) -> None:
    kept = node.add(pod="kept")
    discovery = discover(node.containers_path)
    before = discovery.scan()
    watched = watches_of(discovery)
    for number in range(50):
        made = node.add(pod=f"short-{number}")
        if number % 3 == 0:
            discovery.collect()
        node.remove(made)
    collect_until(discovery, lambda found: [one.id for one in found] == [kept.id])
    assert discovery.collect() == before
    assert watches_of(discovery) == watched


def test_a_folder_that_was_moved_is_known_by_its_new_name(discover: Discover, cri: FakeNode) -> None:
    made = cri.add(pod="web")
    discovery = discover(cri.containers_path)
    discovery.scan()
    watched = watches_of(discovery)
    pod = made.log.parent.parent
    pod.rename(pod.with_name(f"default_other_{made.uid}"))
    collect_until(discovery, lambda found: [one.pod_name for one in found] == ["other"])
    assert watches_of(discovery) == watched
    pod.with_name(f"default_other_{made.uid}").rename(cri.containers_path.parent / "away")
    collect_until(discovery, lambda found: found == ())
    assert watches_of(discovery) == watched - 2


def test_a_containers_folder_that_was_moved_away_is_watched_no_more(
    discover: Discover, cri: FakeNode
) -> None:
    kept, moved = cri.add(pod="web"), cri.add(pod="web", container="sidecar")
    discovery = discover(cri.containers_path)
    discovery.scan()
    watched = watches_of(discovery)
    moved.log.parent.rename(cri.containers_path.parent / "away")
    collect_until(discovery, lambda found: [one.id for one in found] == [kept.id])
    assert watches_of(discovery) == watched - 1


def test_a_burst_is_seen_whole(discover: Discover, node: FakeNode) -> None:
    discovery = discover(node.containers_path)
    discovery.scan()
    wanted = {node.add(pod=f"pod-{number}").id for number in range(200)}
    collect_until(discovery, lambda found: {one.id for one in found} == wanted)


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "start", "restart", "rotate", "remove", "look"]), st.integers(0, 99))
)


def newest_of(made: FakeContainer, alive: list[FakeContainer]) -> FakeContainer:
    """Give the latest run of a container: only that one can be restarted."""
    return max((one for one in alive if one.name == made.name), key=lambda one: one.restart)


def play(node: FakeNode, discovery: Discovery, steps: list[tuple[str, int]]) -> None:
    """Let things happen on a node, with a look at it now and then."""
    alive: list[FakeContainer] = []
    for index, (step, number) in enumerate(steps):
        made = alive[number % len(alive)] if alive else None
        if step == "look":
            discovery.collect()
        elif step == "add" or made is None:
            name, started = f"c{index}", number % 2 == 0
            alive.append(node.add(pod=f"pod-{number % 3}", container=name, started=started))
        elif step == "remove":
            alive.remove(made)
            node.remove(made)
        elif step == "restart" and made.log.exists() and made is newest_of(made, alive):
            alive.append(node.restart(made))
        elif step == "rotate" and made.log.exists():
            node.rotate(made)
        elif step == "start" and not made.log.exists():
            node.start(made)


@settings(max_examples=60, deadline=None)
@given(layout=st.sampled_from(Layout), links=st.booleans(), steps=STEPS)
def test_events_alone_show_what_a_full_listing_shows(
    layout: Layout, *, links: bool, steps: list[tuple[str, int]]
) -> None:
    with TemporaryDirectory() as folder, discoveries() as discover:
        node = FakeNode(Path(folder), layout)
        path = node.containers_path.with_name("containers") if links else node.containers_path
        discovery, fresh = discover(path), discover(path)
        discovery.scan()
        play(node, discovery, steps)
        assert discovery.collect() == fresh.scan()
        assert watches_of(discovery) == watches_of(fresh)


def test_both_layouts_may_share_a_folder(discover: Discover, tmp_path: Path) -> None:
    """`auto` is decided per entry."""
    docker, cri = FakeNode(tmp_path, Layout.DOCKER), FakeNode(tmp_path, Layout.CRI)
    discovery = discover(cri.containers_path)
    discovery.scan()
    first, second = docker.add(pod="old"), cri.add(pod="new")
    first.log.parent.rename(cri.containers_path / first.id)
    found = collect_until(discovery, lambda found: {one.id for one in found} == {first.id, second.id})
    assert {one.layout for one in found} == {Layout.DOCKER, Layout.CRI}


def test_a_missing_containers_folder_is_an_error_not_an_empty_node(
    discover: Discover, tmp_path: Path
) -> None:
    discovery = discover(tmp_path / "docker" / "containers")
    for look in (discovery.scan, discovery.collect):
        with pytest.raises(DiscoveryError, match="docker/containers"):
            look()
    assert discovery.poll_seconds() == pytest.approx(1.0)
    made = FakeNode(tmp_path, Layout.DOCKER).add(pod="web")
    assert only(discovery.collect()).id == made.id
    assert discovery.poll_seconds() is None


def test_a_containers_folder_that_is_a_file_is_an_error(discover: Discover, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DiscoveryError):
        discover(tmp_path / "file").scan()


def test_what_is_known_outlives_the_folder(discover: Discover, node: FakeNode) -> None:
    node.add(pod="web")
    discovery = discover(node.containers_path)
    before = discovery.scan()
    aside = node.containers_path.with_name("aside")
    node.containers_path.rename(aside)
    with pytest.raises(DiscoveryError):
        discovery.collect()
    assert discovery.poll_seconds() == pytest.approx(1.0)
    aside.rename(node.containers_path)
    assert discovery.collect() is before
    assert discovery.poll_seconds() is None


def test_a_replaced_folder_is_watched_anew(discover: Discover, node: FakeNode, tmp_path: Path) -> None:
    """As after an unmount and a mount."""
    node.add(pod="old")
    discovery = discover(node.containers_path)
    discovery.scan()
    node.containers_path.rename(tmp_path / "aside")
    node.containers_path.mkdir()
    made = node.add(pod="web")
    assert [one.pod_name for one in discovery.collect()] == ["web"]
    node.remove(made)
    collect_until(discovery, lambda found: found == ())
    assert watches_of(discovery) == (1 if node.layout is Layout.DOCKER else 2)


def test_a_linked_folder_that_points_elsewhere_is_noticed(
    discover: Discover, docker: FakeNode, tmp_path: Path
) -> None:
    """Such a change of the path gives no event; the next look sees it."""
    first = docker.add(pod="old")
    other = FakeNode(tmp_path / "other", Layout.DOCKER)
    second = other.add(pod="new")
    link = tmp_path / "link"
    link.symlink_to(docker.containers_path)
    discovery = discover(link, roots=(link,))
    assert only(discovery.scan()).log_path == first.log
    (tmp_path / "new-link").symlink_to(other.containers_path)
    os.replace(tmp_path / "new-link", link)
    assert only(discovery.collect()).log_path == second.log
