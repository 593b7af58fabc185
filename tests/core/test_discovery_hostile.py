"""Whoever may write to log folders: what he puts there is his own obstacle, and nobody else's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from discovery_support import Containers, Discover, collect_until, discoveries, only, reason_of, watches_of
from kube_log_watcher_core.discovery import Discovery, NodePaths
from kube_log_watcher_core.discovery.cri import MOST_LOGS
from kube_log_watcher_core.discovery.inotify import Watches
from kube_log_watcher_core.discovery.place import ROTATION_SECONDS
from kube_log_watcher_core.models import Layout, Reason
from kube_log_watcher_testing.fake_node import FakeContainer, FakeNode
from support import soon

ID = "ab" * 32


class Hand:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def discover() -> Iterator[Discover]:
    with discoveries() as made:
        yield made


@pytest.fixture
def node(tmp_path: Path) -> FakeNode:
    return FakeNode(tmp_path, Layout.CRI)


def followed(containers: Containers) -> set[tuple[str, Path | None]]:
    """Give pods and logs of all containers that can be followed."""
    return {(one.pod_name, one.log_path) for one in containers if one.obstacle is None}


def skipped(containers: Containers) -> set[tuple[str, Reason]]:
    """Give pods and reasons of all containers that can't."""
    return {(one.pod_name, one.obstacle.reason) for one in containers if one.obstacle is not None}


class TestALogLiesInItsOwnFolder:
    def test_a_log_that_is_a_link_to_another_pods_is_not_followed(
        self, discover: Discover, node: FakeNode
    ) -> None:
        victim, thief = node.add(pod="victim"), node.add(pod="thief")
        thief.log.with_name("1.log").symlink_to(victim.log)
        found = discover(node.containers_path).scan()
        assert followed(found) == {("victim", victim.log), ("thief", thief.log)}
        assert skipped(found) == {("thief", Reason.OUTSIDE_FOLDER)}

    def test_nor_one_that_leads_to_another_run_of_its_own(self, discover: Discover, node: FakeNode) -> None:
        """It would be shipped twice."""
        made = node.add(pod="web")
        made.log.with_name("1.log").symlink_to("0.log")
        found = discover(node.containers_path).scan()
        assert followed(found) == {("web", made.log)}
        assert skipped(found) == {("web", Reason.OUTSIDE_FOLDER)}

    @pytest.mark.parametrize("depth", ["pod", "container"])
    @pytest.mark.parametrize("by_links", [False, True])
    def test_nor_a_folder_that_is_a_link_to_another_pods(
        self, discover: Discover, node: FakeNode, tmp_path: Path, depth: str, *, by_links: bool
    ) -> None:
        victim, thief = node.add(pod="victim"), node.add(pod="thief")
        planted = node.containers_path / f"default_planted_{ID}"
        if depth == "pod":
            planted.symlink_to(victim.log.parent.parent)
        else:
            planted.mkdir()
            (planted / "main").symlink_to(victim.log.parent)
        (tmp_path / "containers" / f"planted_default_main-{ID}.log").symlink_to(planted / "main" / "0.log")
        path = tmp_path / "containers" if by_links else node.containers_path
        found = discover(path).scan()
        assert followed(found) == {("victim", victim.log), ("thief", thief.log)}
        assert skipped(found) == {("planted", Reason.OUTSIDE_FOLDER)}

    def test_a_file_that_is_only_named_as_the_runtimes_is_not_the_runtimes(
        self, discover: Discover, node: FakeNode
    ) -> None:
        victim, thief = node.add(pod="victim"), node.add(pod="thief")
        fake = thief.log.parent / victim.id / f"{victim.id}-json.log"
        fake.parent.mkdir()
        fake.touch()
        thief.log.with_name("1.log").symlink_to(fake)
        found = {
            one.restart_count: one for one in discover(node.containers_path).scan() if one.pod_name == "thief"
        }
        assert reason_of(found[1]) is Reason.OUTSIDE_FOLDER
        assert found[1].id is None

    def test_a_link_to_a_folder_of_the_same_name_elsewhere_takes_nothing_over(
        self, discover: Discover, node: FakeNode, tmp_path: Path
    ) -> None:
        victim, thief = node.add(pod="victim"), node.add(pod="thief")
        false = thief.log.parent / victim.log.relative_to(node.containers_path)
        false.parent.mkdir(parents=True)
        false.touch()
        for number in range(3):
            name = f"victim_default_main-{number:064x}.log"
            (tmp_path / "containers" / name).symlink_to(false)
        found = discover(tmp_path / "containers").scan()
        assert followed(found) == {("victim", victim.log), ("thief", thief.log)}
        assert skipped(found) == {("victim", Reason.OUTSIDE_FOLDER)}

    @pytest.mark.parametrize("name", [f"thief_default_main-{ID}.log", "thief_default_main-cut.log"])
    def test_a_second_link_to_dockers_log_comes_second(
        self, discover: Discover, tmp_path: Path, name: str
    ) -> None:
        docker, links = FakeNode(tmp_path, Layout.DOCKER), tmp_path / "links"
        links.mkdir()
        victim = docker.add(pod="victim")
        (links / f"victim_default_main-{victim.id}.log").symlink_to(victim.log)
        discovery = discover(links, roots=(tmp_path,))
        discovery.scan()
        (links / name).symlink_to(victim.log)
        found = collect_until(discovery, lambda found: len(found) == 2)
        assert followed(found) == {("victim", victim.log)}
        assert skipped(found) <= {("thief", Reason.TAKEN), ("thief", Reason.OUTSIDE_FOLDER)}

    def test_a_link_to_any_file_is_nobodys_log(self, discover: Discover, tmp_path: Path) -> None:
        """Its name says whose it is, and anybody can give it a name."""
        links = tmp_path / "containers"
        links.mkdir()
        (tmp_path / "syslog").touch()
        (links / f"web_shop_app-{ID}.log").symlink_to(tmp_path / "syslog")
        assert reason_of(only(discover(links, roots=(tmp_path,)).scan())) is Reason.OUTSIDE_FOLDER

    def test_dockers_log_that_leads_to_another_containers_is_not_followed(
        self, discover: Discover, tmp_path: Path
    ) -> None:
        docker = FakeNode(tmp_path, Layout.DOCKER)
        victim, thief = docker.add(pod="victim"), docker.add(pod="thief")
        thief.log.unlink()
        thief.log.symlink_to(victim.log)
        found = discover(docker.containers_path).scan()
        assert followed(found) == {("victim", victim.log)}
        assert skipped(found) == {("thief", Reason.OUTSIDE_FOLDER)}


AS_NOBODY = """
import os, sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from kube_log_watcher_core.discovery import Discovery, NodePaths
from kube_log_watcher_core.models import Layout
from kube_log_watcher_testing.fake_node import FakeNode

if os.getuid() == 0:
    os.setresuid(65534, 65534, 65534)
with TemporaryDirectory() as folder:
    node = FakeNode(Path(folder), Layout[sys.argv[1]])
    path = Path(folder) / sys.argv[2]
    path.mkdir(exist_ok=True, parents=True)
    good, bad = node.add(pod="good"), node.add(pod="bad", started=False)
    if sys.argv[3] == "link":
        bad.link.symlink_to("/proc/1/root/0.log")
    else:
        bad.log.symlink_to("/proc/1/root/0.log")
        if bad.link:
            bad.link.symlink_to(bad.log)
    with closing(Discovery(NodePaths(path, "auto", (Path(folder),)))) as discovery:
        for one in (*discovery.scan(), *discovery.collect()):
            print(one.pod_name, one.obstacle.reason.value if one.obstacle else one.log_path == good.log)
"""


@pytest.mark.parametrize(
    ("layout", "path", "which"),
    [
        ("DOCKER", "docker/containers", "log"),
        ("CRI", "pods", "log"),
        ("CRI", "containers", "log"),
        ("CRI", "containers", "link"),
    ],
)
def test_a_link_that_can_be_seen_and_not_read_is_an_obstacle(layout: str, path: str, which: str) -> None:
    """Nobody may read where ``/proc/1/root`` leads, but root."""
    ran = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, layout, path, which],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
        timeout=30,
    )
    lines = [line for line in ran.stdout.splitlines() if line.startswith("good") or "unreadable" in line]
    assert sorted(lines) == ["bad unreadable"] * 2 + ["good True"] * 2


BLIND = """
import os, sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from kube_log_watcher_core.discovery import Discovery, NodePaths
from kube_log_watcher_core.models import Layout
from kube_log_watcher_testing.fake_node import FakeNode

if os.getuid() == 0:
    os.setresuid(65534, 65534, 65534)
with TemporaryDirectory() as folder:
    node = FakeNode(Path(folder), Layout.CRI)
    made = node.add(pod="victim")
    planted = Path("/proc/1/root") / made.log.relative_to(folder)
    for name in ("victim_default_main-cut.log", "victim_default_other-cut.log"):
        made.link.with_name(name).symlink_to(planted.parent.with_name(name.split("_")[2][:-8]) / "0.log")
    with closing(Discovery(NodePaths(Path(folder) / "containers", "auto", (Path(folder),)))) as discovery:
        for _ in range(2):
            print(*sorted(one.name for one in discovery.scan() if one.obstacle is None))
            node.add(pod="victim", container="second")
"""


def test_a_planted_link_that_can_not_be_read_hides_nothing_of_its_victim() -> None:
    """Its target bears the name of the victim's folder, on a way that nobody may look at."""
    command = [sys.executable, "-c", BLIND]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/", timeout=30)
    assert ran.stdout.splitlines() == ["main", "main second"], ran.stderr


class TestNobodyIsBlinded:
    @pytest.mark.parametrize("target", [".", "..", "{itself}"])
    def test_a_link_to_the_containers_folder_does_not_hide_what_comes(
        self, discover: Discover, node: FakeNode, tmp_path: Path, target: str
    ) -> None:
        """Inotify has one watch for a folder, whoever asks for it."""
        thief = node.add(pod="thief")
        pods = node.containers_path
        (pods / f"default_loop_{ID}").symlink_to(target.format(itself=pods))
        (thief.log.parent.parent / "loop").symlink_to(pods)
        discovery = discover(pods)
        discovery.scan()
        made = node.add(pod="web")
        collect_until(discovery, lambda found: ("web", made.log) in followed(found))
        node.remove(made)
        collect_until(discovery, lambda found: "web" not in {one.pod_name for one in found})

    def test_a_folder_that_two_share_is_watched_for_both(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(tmp_path)
        watches = Watches()
        with closing(watches):
            watches.open()
            watches.watch(str(tmp_path), owner="one")
            watches.watch(str(tmp_path / "link"), owner="two", written=True)
            watches.watch(str(tmp_path), owner="one")
            assert len(watches) == 1
            (tmp_path / "file").write_text("x")
            hints = watches.read() or []
            assert {(hint.owner, hint.name) for hint in hints} == {("one", "file"), ("two", "file")}
            assert len(hints) == 4, "made, and written in place"
            watches.release("two")
            watches.watch(str(tmp_path), owner="one")
            (tmp_path / "other").write_text("x")
            assert [(hint.owner, hint.name) for hint in watches.read() or []] == [("one", "other")]
            watches.release("one")
            assert len(watches) == 0
            (tmp_path / "third").touch()
            assert watches.read() == []


class TestOnePodsFolderIsFull:
    def fill(self, made: FakeContainer, count: int) -> None:
        """Make logs that come before and after a container's own."""
        for number in range(count):
            made.log.with_name(f"{number + 100_000}.log").touch()

    def test_so_many_logs_are_followed_and_one_reason_tells_of_the_rest(
        self, discover: Discover, node: FakeNode
    ) -> None:
        full, other = node.add(pod="full"), node.add(pod="full", container="sidecar")
        discovery = discover(node.containers_path)
        discovery.scan()
        self.fill(full, 20_000)
        with soon("another pod"):
            made = node.add(pod="web")
            found = collect_until(discovery, lambda found: ("web", made.log) in followed(found))
        found = discovery.scan()
        assert skipped(found) == {("full", Reason.TOO_MANY)}
        assert {("full", full.log), ("full", other.log), ("web", made.log)} <= followed(found)
        assert len(found) == MOST_LOGS + 2

    def test_the_newest_run_of_each_container_comes_first(self, discover: Discover, node: FakeNode) -> None:
        full, other = node.add(pod="full"), node.add(pod="full", container="sidecar", restart=7)
        self.fill(full, MOST_LOGS)
        found = followed(discover(node.containers_path).scan())
        assert ("full", other.log) in found
        assert ("full", full.log) not in found
        assert ("full", full.log.with_name(f"{MOST_LOGS - 1 + 100_000}.log")) in found

    def test_when_there_are_fewer_all_are_followed(self, discover: Discover, node: FakeNode) -> None:
        full = node.add(pod="full")
        self.fill(full, MOST_LOGS)
        discovery = discover(node.containers_path)
        assert skipped(discovery.scan()) == {("full", Reason.TOO_MANY)}
        full.log.with_name("100000.log").unlink()
        found = collect_until(discovery, lambda found: not skipped(found))
        assert ("full", full.log) in followed(found)

    def test_thousands_of_folders_do_not_use_up_the_watches(self, discover: Discover, node: FakeNode) -> None:
        full = node.add(pod="full", container="z")
        discovery = discover(node.containers_path)
        discovery.scan()
        for number in range(2 * MOST_LOGS):
            (full.log.parent.parent / f"a{number}").mkdir()
        assert ("full", full.log) in followed(discovery.scan())
        assert watches_of(discovery) < MOST_LOGS + 10

    def test_in_a_folder_too_full_to_be_listed_what_is_followed_is_not_gone(
        self, discover: Discover, node: FakeNode
    ) -> None:
        full = node.add(pod="full")
        discovery = discover(node.containers_path)
        before = followed(discovery.scan())
        self.fill(full, 12_000)
        assert before <= followed(discovery.scan())
        full.log.unlink()
        assert not before & followed(discovery.scan())


class TestRotationEnds:
    @pytest.mark.parametrize("layout", list(Layout))
    def test_a_log_whose_rotated_files_alone_stay_is_gone_after_a_while(
        self, tmp_path: Path, layout: Layout
    ) -> None:
        node, clock = FakeNode(tmp_path, layout), Hand()
        made = node.add(pod="web")
        paths = NodePaths(node.containers_path, "auto", (node.containers_path,))
        discovery = Discovery(paths, clock=clock)
        try:
            before = discovery.scan()
            made.log.rename(f"{made.log}.1")
            assert discovery.collect() is before
            assert discovery.poll_seconds() == pytest.approx(ROTATION_SECONDS)
            clock.now += ROTATION_SECONDS - 1
            assert discovery.scan() is before
            clock.now += 1
            assert discovery.poll_seconds() == 0.0
            assert reason_of(only(discovery.collect())) is Reason.NO_LOG
            assert discovery.poll_seconds() is None
            made.log.touch()
            assert discovery.collect() == before
        finally:
            discovery.close()

    def test_one_that_is_rotated_again_and_again_stays(self, node: FakeNode) -> None:
        clock = Hand()
        made = node.add(pod="web")
        discovery = Discovery(NodePaths(node.containers_path, "auto", (node.containers_path,)), clock=clock)
        try:
            before = discovery.scan()
            for number in range(3):
                made.log.rename(f"{made.log}.{number}")
                assert discovery.collect() == before
                clock.now += ROTATION_SECONDS - 1
                made.log.touch()
                assert discovery.collect() == before
                assert discovery.poll_seconds() is None
        finally:
            discovery.close()
