"""A crowded folder for all agents together, and what nobody may touch in and beside it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs

from kube_log_watcher_appdynamics import AppDynamicsAgent, AppDynamicsSettings
from kube_log_watcher_core import FileAgent, LogTarget, Secret
from kube_log_watcher_scalyr import ScalyrAgent
from kube_log_watcher_scalyr.settings import ScalyrSettings
from kube_log_watcher_symlinker import SymlinkerAgent, SymlinkerSettings
from kube_log_watcher_testing.factories import NODE, container_id

KEY = "key-0001"
FOREIGN_ID = container_id(0xF0F0F0)
Print = tuple[str, int, int, bytes | str]


@attrs.frozen
class Crowd:
    """A folder like ``/var/log``: everybody writes here, the three agents too."""

    outside: Path
    """A folder beside it, to which planted links lead."""
    folder: Path
    before: dict[str, Print]
    """What is there of others, and how it looks."""

    def agents(self) -> list[FileAgent[Any]]:
        """Make the three agents, all of them working in the crowded folder."""
        scalyr = ScalyrSettings(
            bad_redaction="ship",
            api_key=Secret(KEY),
            dest_path=self.folder,
            config_path=self.folder / "agent.json",
        )
        return [
            ScalyrAgent(scalyr, NODE),
            AppDynamicsAgent(AppDynamicsSettings(dest_path=self.folder), NODE),
            SymlinkerAgent(SymlinkerSettings(symlink_dir=self.folder), NODE),
        ]

    def sync(self, targets: Sequence[LogTarget]) -> None:
        """Let fresh agents, as after a restart, do a whole pass."""
        for agent in self.agents():
            agent.prepare()
            agent.sync(targets)

    def ours(self) -> dict[str, Print]:
        """Give all files and links that were not there before."""
        return {name: seen for name, seen in self._now().items() if name not in self.before}

    def foreign(self) -> dict[str, Print]:
        """Give what has become of that which was there before."""
        return {name: seen for name, seen in self._now().items() if name in self.before}

    def _now(self) -> dict[str, Print]:
        return prints(self.outside.parent)


def prints(root: Path) -> dict[str, Print]:
    """Give kind, inode, mode and content of all below a folder; of folders only those that are empty."""
    found: dict[str, Print] = {}
    for at, folders, names in os.walk(os.fsencode(root)):
        links = [name for name in folders if os.path.islink(os.path.join(at, name))]
        if not folders and not names:
            found[os.fsdecode(at)] = ("empty folder", 0, 0, b"")
        for name in [*names, *links]:
            path = os.path.join(at, name)
            found[os.fsdecode(path)] = _print(path)
    return found


def _print(path: bytes) -> Print:
    status = os.lstat(path)
    content: bytes | str = b""
    if stat.S_ISLNK(status.st_mode):
        content = os.fsdecode(os.readlink(path))
    elif stat.S_ISREG(status.st_mode):
        content = Path(os.fsdecode(path)).read_bytes()
    return (stat.filemode(status.st_mode), status.st_ino, status.st_mtime_ns, content)


@contextmanager
def crowd() -> Iterator[Crowd]:
    """Make the folder, with neighbours whose names are nearly ours."""
    with TemporaryDirectory() as name:
        root = Path(name)
        outside, folder = root / "outside", root / "log"
        for each in (outside, folder):
            each.mkdir()
        for path in (*_neighbours(folder), outside / "victim.json", outside / "main" / "shop-v7.log"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("of somebody else")
        os.mkfifo(folder / "fifo")
        (folder / "link.log").symlink_to(outside / "victim.json")
        (folder / "away").symlink_to(outside)
        (folder / "empty").mkdir()
        (folder / "containers" / "shop_default_main.log").symlink_to(folder / "pods" / "0.log")
        yield Crowd(outside, folder, prints(root))


def _neighbours(folder: Path) -> Iterator[Path]:
    names = (
        "syslog",
        "auth.log",
        "agent.json.bak",
        ".agent.json.swp",
        "container-by-hand-jobfile.job",
        f"container-{FOREIGN_ID.upper()[:-1]}G-jobfile.job",
        f"container-{FOREIGN_ID}-jobfile.job.rpmsave",
        f"x-container-{FOREIGN_ID}-jobfile.job",
        "pods/0.log",
        "containers/notes",
        f"{FOREIGN_ID}/notes.txt",
        f"{FOREIGN_ID}/shop-v7.log",  # a file where ours would be a link
        f"{FOREIGN_ID}/shop/shop/default/production/v7/main/shop-1.log",
        f"{FOREIGN_ID}/deep/notes.txt",
        "deadbeef/notes.txt",
        "a\nb",
        "..x",
    )
    return (folder / name for name in names)
