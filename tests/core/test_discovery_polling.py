"""What happens when inotify loses events or can't be had."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import attrs
import pytest
from inotify_simple import Event, INotify, flags

from discovery_support import collect_until, only, watches_of
from kube_log_watcher_core.discovery import Discovery, NodePaths, default_roots
from kube_log_watcher_core.discovery.inotify import Watches, open_inotify
from kube_log_watcher_core.models import Layout
from kube_log_watcher_testing.fake_node import FakeNode


class Faulty(INotify):
    """A real inotify instance that can lose events and run out of watches."""

    def __init__(self, *, watches_left: int = 10**6) -> None:
        super().__init__(nonblocking=True)
        self.watches_left = watches_left
        self.overflows = False

    def add_watch(self, path: str | bytes | os.PathLike[str], mask: int) -> int:
        if self.watches_left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.watches_left -= 1
        return super().add_watch(path, mask)

    def read(self, timeout: int | None = None, read_delay: int | None = None) -> list[Event]:  # type: ignore[override]
        events = super().read(timeout, read_delay)
        if not self.overflows:
            return events
        self.overflows = False
        return [Event(-1, flags.Q_OVERFLOW, 0, "")]


@pytest.fixture
def node(tmp_path: Path) -> FakeNode:
    return FakeNode(tmp_path, Layout.DOCKER)


@attrs.define
class Opener:
    """Opens what a test has prepared, one after the other."""

    sources: list[INotify | OSError]

    def __call__(self) -> INotify:
        source = self.sources.pop(0)
        if isinstance(source, OSError):
            raise source
        return source


def discovery_of(node: FakeNode, opener: Callable[[], INotify]) -> Discovery:
    path = node.containers_path
    return Discovery(NodePaths(path, "auto", default_roots(path)), open_inotify=opener)


@pytest.fixture
def faulty() -> Iterator[Faulty]:
    with closing(Faulty()) as source:
        yield source


def test_lost_events_lead_to_a_full_listing(node: FakeNode, faulty: Faulty) -> None:
    gone = node.add(pod="gone")
    with closing(discovery_of(node, Opener([faulty]))) as discovery:
        discovery.scan()
        node.remove(gone)
        made = node.add(pod="web")
        faulty.overflows = True
        assert only(discovery.collect()).id == made.id
        second = node.add(pod="second")
        collect_until(discovery, lambda found: {one.id for one in found} == {made.id, second.id})


def test_without_inotify_the_folders_are_polled_and_it_is_tried_again(
    node: FakeNode, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    refused = OSError(errno.EMFILE, "Too many open files")
    with closing(discovery_of(node, Opener([refused, refused, open_inotify()]))) as discovery:
        first = node.add(pod="web")
        assert only(discovery.scan()).id == first.id
        assert discovery.fileno() is None
        assert discovery.poll_seconds() == pytest.approx(1.0)
        assert "max_user_instances" in (discovery.polling_reason or "")
        node.remove(first)
        assert discovery.collect() == ()
        discovery.scan()
        assert discovery.fileno() is None
        discovery.scan()
        assert (discovery.polling_reason, discovery.poll_seconds()) == (None, None)
        made = node.add(pod="web")
        collect_until(discovery, lambda found: [one.id for one in found] == [made.id])
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_when_watches_run_out_they_are_given_back_and_the_folders_polled(node: FakeNode) -> None:
    wanted = {node.add(pod=f"pod-{number}").id for number in range(5)}
    with closing(discovery_of(node, Opener([Faulty(watches_left=3), open_inotify()]))) as discovery:
        assert {one.id for one in discovery.scan()} == wanted
        assert discovery.fileno() is None
        assert discovery.poll_seconds() == pytest.approx(1.0)
        assert "max_user_watches" in (discovery.polling_reason or "")
        assert {one.id for one in discovery.scan()} == wanted
        assert discovery.polling_reason is None
        assert watches_of(discovery) == 6


def test_watches_that_run_out_later_are_noticed(node: FakeNode, faulty: Faulty) -> None:
    with closing(discovery_of(node, Opener([faulty, open_inotify()]))) as discovery:
        discovery.scan()
        faulty.watches_left = 0
        made = node.add(pod="web")
        assert only(discovery.collect()).id == made.id
        assert discovery.poll_seconds() == pytest.approx(1.0)
        assert only(discovery.scan()).id == made.id
        assert discovery.poll_seconds() is None


SCRIPT = """
import os, resource, sys
from pathlib import Path
from kube_log_watcher_core.discovery import Discovery, NodePaths
from kube_log_watcher_core.discovery.inotify import open_inotify

def open_at_the_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3 if limited else soft, hard))
    try:
        return open_inotify()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

open_inotify().close()  # what the first one loads takes descriptors, too
path, limited = Path(sys.argv[1]), True
discovery = Discovery(NodePaths(path, "auto", (path,)), open_inotify=open_at_the_limit)
print(len(discovery.scan()), discovery.fileno(), discovery.poll_seconds(), discovery.polling_reason)
limited = False
print(len(discovery.scan()), discovery.fileno() is None, discovery.poll_seconds(), discovery.polling_reason)
discovery.close()
"""


def test_a_process_out_of_descriptors_polls_until_it_has_some(node: FakeNode) -> None:
    node.add(pod="web")
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(node.containers_path)], capture_output=True, text=True, check=True
    )
    first, second = ran.stdout.splitlines()
    assert first.startswith("1 None 1.0 inotify can't be had (Too many open files)")
    assert second == "1 False None None"


def test_a_closed_discovery_gives_its_descriptor_back(node: FakeNode) -> None:
    discovery = discovery_of(node, open_inotify)
    discovery.scan()
    descriptor = discovery.fileno()
    discovery.close()
    assert descriptor is not None
    assert discovery.fileno() is None
    assert not Path(f"/proc/self/fd/{descriptor}").exists()


def test_the_books_agree_with_the_kernel(tmp_path: Path) -> None:
    """A watch ends by itself with its folder, by us with its owner, and once at most."""
    folders = [tmp_path / str(number) for number in range(4)]
    for folder in folders:
        folder.mkdir()
    watches = Watches()
    with closing(watches):
        watches.open()
        for folder in folders[:3]:
            watches.watch(str(folder), owner="one")
        watches.watch(str(folders[3]), owner="two")
        watches.watch(str(tmp_path / "absent"), owner="two")
        assert len(watches) == 4
        folders[0].rmdir()
        watches.read()
        assert len(watches) == 3
        watches.retain("one", {str(folders[1])})
        assert len(watches) == 2
        folders[1].rmdir()
        watches.release("one")
        watches.release("two")
        assert (len(watches), watches.read()) == (0, [])


AS_NOBODY = """
import os, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from kube_log_watcher_core.discovery import Discovery, NodePaths
from kube_log_watcher_core.errors import DiscoveryError
from kube_log_watcher_core.models import Layout
from kube_log_watcher_testing.fake_node import FakeNode

if os.getuid() == 0:
    os.setresuid(65534, 65534, 65534)
with TemporaryDirectory() as folder:
    node = FakeNode(Path(folder), Layout[sys.argv[1]])
    made = node.add(pod="web")
    discovery = Discovery(NodePaths(node.containers_path, "auto", (node.containers_path,)))
    before = discovery.scan()
    made.log.parent.chmod(0)
    print(discovery.scan() is before, before[0].log_path == made.log)
    made.log.parent.chmod(0o700)
    print(discovery.scan() is before)
    node.containers_path.chmod(0)
    try:
        discovery.scan()
    except DiscoveryError as error:
        print(error)
    node.containers_path.chmod(0o700)
    print(discovery.collect() is before)
    discovery.close()
"""


@pytest.mark.parametrize("layout", ["DOCKER", "CRI"])
def test_what_can_not_be_read_is_not_gone(layout: str) -> None:
    """In a process without root's rights, which permission bits bind."""
    ran = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, layout], capture_output=True, text=True, check=True, cwd="/"
    )
    unreadable, readable, error, after = ran.stdout.splitlines()
    assert (unreadable, readable, after) == ("True True", "True", "True")
    assert error.endswith("can't be read: Permission denied")
    assert ran.stderr.count("can't be read") == (0 if layout == "DOCKER" else 1)
