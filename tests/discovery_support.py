"""What tests of discovery share."""

from __future__ import annotations

import re
import select
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Protocol

from kube_log_watcher_core.discovery import Discovery, NodePaths, default_roots
from kube_log_watcher_core.models import Container, Obstacle, Reason
from support import WAIT_SECONDS

DATA = Path(__file__).parent / "data" / "node"
Containers = tuple[Container, ...]


class Discover(Protocol):
    """Gives a Discovery of a folder, with the roots that a user gets by default."""

    def __call__(
        self, containers: Path, *, layout: str = "auto", roots: tuple[Path, ...] | None = None
    ) -> Discovery: ...


@contextmanager
def discoveries() -> Iterator[Discover]:
    """Close all that were made at the end."""
    with ExitStack() as stack:

        def discover(
            containers: Path, *, layout: str = "auto", roots: tuple[Path, ...] | None = None
        ) -> Discovery:
            paths = NodePaths(containers=containers, layout=layout, roots=roots or default_roots(containers))
            return stack.enter_context(closing(Discovery(paths)))

        yield discover


def collect_until(
    discovery: Discovery, holds: Callable[[Containers], bool], *, timeout: float = WAIT_SECONDS
) -> Containers:
    """Collect on events alone until something holds. A wake-up that never comes is an AssertionError."""
    deadline = time.monotonic() + timeout
    while not holds(containers := discovery.collect()):
        descriptor = discovery.fileno()
        assert descriptor is not None, discovery.polling_reason
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"no event within {timeout} s; known: {containers}"
    return containers


def obstacle_of(container: Container) -> Obstacle:
    """Give the obstacle of a container that must have one."""
    assert container.obstacle is not None
    assert container.log_path is None
    return container.obstacle


def watches_of(discovery: Discovery) -> int:
    """Ask the kernel how many folders are watched."""
    information = Path(f"/proc/self/fdinfo/{discovery.fileno()}").read_text(encoding="ascii")
    return information.count("inotify wd:")


def reason_of(container: Container) -> Reason:
    """Give the reason why a container can't be followed."""
    return obstacle_of(container).reason


def only(containers: Containers) -> Container:
    """Give the one container that there is."""
    assert len(containers) == 1, containers
    return containers[0]


def stages(file: str) -> dict[str, str]:
    """Read recorded listings of a node (`ls -laR`), by their titles."""
    blocks = re.split(r"(?m)^### ", (DATA / file).read_text(encoding="utf-8"))[1:]
    return {block.partition("\n")[0].rpartition(" ")[0]: block for block in blocks}


def rebuild(listing: str, *, below: str, root: Path) -> None:
    """Make the folders, links and (empty) files of a recorded listing; `below` becomes `root`."""
    folder = root
    for line in listing.splitlines():
        if line.startswith(below) and line.endswith(":"):
            folder = root / line[len(below) : -1].lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
        elif match := re.fullmatch(r"([dl-])\S+\s+\d+ \S+ \S+\s+\d+ \S+ \S+ \S+ ([^.].*)", line):
            _make(folder, kind=match[1], name=match[2], move=(below, str(root)))


def _make(folder: Path, *, kind: str, name: str, move: tuple[str, str]) -> None:
    if kind == "d":
        (folder / name).mkdir()
    elif kind == "l":
        link, _, target = name.partition(" -> ")
        (folder / link).symlink_to(target.replace(*move, 1))
    else:
        (folder / name).touch()
