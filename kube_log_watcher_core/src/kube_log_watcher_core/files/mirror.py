"""Makes a part of the disk match a list of files and links."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kube_log_watcher_core.errors import AgentError
from kube_log_watcher_core.files.disk import Disk
from kube_log_watcher_core.files.faults import attributed, is_full, summary
from kube_log_watcher_core.files.items import File, Item, Link, Owned, can_be_named, parts_below
from kube_log_watcher_core.files.prune import prune, remove


class Mirror:
    """Remembers what it has put on the disk, so that an unchanged item costs one comparison in memory.

    After `forget`, the next `apply` compares everything with the disk itself and prunes what is
    stale and ours, also what an earlier process left behind.
    """

    def __init__(self, disk: Disk | None = None) -> None:
        self._disk = disk or Disk()
        self._known: dict[Path, Item] | None = None
        self.placed: Mapping[Path, Item] = {}
        """What the last `apply` without a fault has put in place, by path."""

    def forget(self) -> None:
        """Trust the disk and not the memory, next time."""
        self._known = None

    def apply(self, items: Iterable[Item], owned: Iterable[Owned]) -> None:
        """Write what differs: links, then files; then prune, unless an item could not be written.

        Where only room was lacking, what is stale is removed first, and the rest tried once more.

        One item's fault doesn't keep the others from being written. After a fault, the next call
        compares everything with the disk.

        Raises
        ------
        AgentError
            with the first fault: of the disk, of an item outside ``owned``, or of two different
            items for one path, of which neither is written.
        """
        owned = tuple(owned)
        wanted, faults = _by_path(items)
        faults += self._write(wanted, owned)
        if faults and all(is_full(fault) for fault in faults):
            # Else a full disk stayed full for ever: what would make room is only removed after a good write.
            self._prune(wanted, owned)
            faults = self._write(wanted, owned)
        if not faults:
            faults = self._prune(wanted, owned)
        self._known = None if faults else wanted
        if faults:
            raise summary(faults) from faults[0]
        self.placed = wanted

    def write(self, items: Iterable[Item], owned: Iterable[Owned]) -> None:
        """Put single items in place where they differ; remove nothing, and remember nothing.

        Raises
        ------
        AgentError
            as `apply`.
        """
        wanted, faults = _by_path(items)
        faults += self._write(wanted, tuple(owned))
        if faults:
            raise summary(faults) from faults[0]

    def _differs(self, path: Path, item: Item) -> bool:
        if self._known is None:
            return True
        known = self._known.get(path)
        return known is not item and known != item

    def _write(self, wanted: dict[Path, Item], owned: tuple[Owned, ...]) -> list[AgentError]:
        faults = []
        unsettled: dict[Path, tuple[Path, Owned]] = {}
        changed = [item for path, item in wanted.items() if self._differs(path, item)]
        for item in sorted(changed, key=lambda item: isinstance(item, File)):
            try:
                home = _home(item, owned)
                if self._write_one(item, home):
                    unsettled[item.path.parent] = item.path, home
            except AgentError as fault:
                faults.append(fault)
        return faults + self._settle(unsettled.values())

    def _write_one(self, item: Item, home: Owned) -> bool:
        """Write an item if it differs from what is there; tell whether its folder must be settled."""
        with self._parent(item.path, home) as fd, attributed(item.path):
            if isinstance(item, Link):
                # A link that a power cut takes is made again at the next start: it needs no settling.
                if self._disk.read_link(fd, item.path.name) != str(item.target):
                    self._disk.link(fd, item.path.name, str(item.target))
                return False
            if self._disk.read(fd, item.path.name, limit=len(item.content)) == item.content:
                return False
            self._disk.write(fd, item)
            return True

    def _settle(self, written: Iterable[tuple[Path, Owned]]) -> list[AgentError]:
        """Make new names last: once for each folder, not once for each of a thousand files in it."""
        faults = []
        for path, home in written:
            try:
                with self._parent(path, home) as fd, attributed(path.parent, is_folder=True):
                    self._disk.settle(fd)
            except AgentError as fault:
                faults.append(fault)
        return faults

    @contextlib.contextmanager
    def _parent(self, path: Path, home: Owned) -> Iterator[int]:
        with contextlib.ExitStack() as stack:
            with attributed(home.folder, is_folder=True):
                fd = stack.enter_context(self._disk.folder(home.folder))
            at = home.folder
            for part in parts_below(home.folder, path)[:-1]:
                at /= part
                with attributed(at):
                    fd = stack.enter_context(self._disk.inside(fd, part, make=True))
            yield fd

    def _prune(self, wanted: dict[Path, Item], owned: tuple[Owned, ...]) -> list[AgentError]:
        if self._known is None:
            return [fault for home in owned for fault in prune(self._disk, home, keep=wanted.keys())]
        faults = []
        for path in self._known.keys() - wanted.keys():
            try:
                remove(self._disk, _home(self._known[path], owned), path)
            except AgentError as fault:
                faults.append(fault)
        return faults


def _by_path(items: Iterable[Item]) -> tuple[dict[Path, Item], list[AgentError]]:
    wanted: dict[Path, Item] = {}
    contested: dict[Path, AgentError] = {}
    for item in items:
        first = wanted.setdefault(item.path, item)
        if first is not item and first != item:
            contested[item.path] = AgentError(
                f"refusing to write {item.path}: two different items want this path"
            )
    for path in contested:
        del wanted[path]
    return wanted, list(contested.values())


def _home(item: Item, owned: tuple[Owned, ...]) -> Owned:
    if isinstance(item, Link) and not can_be_named(str(item.target)):
        raise AgentError(f"refusing to write {item.path}: no path can be {str(item.target)!r}")
    for candidate in owned:
        if candidate.links == isinstance(item, Link) and candidate.matches(item.path):
            return candidate
    raise AgentError(f"refusing to write {item.path}: it is none of the names that this agent owns")
