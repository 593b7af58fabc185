"""Makes a part of the disk match a list of files and links."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from kube_log_watcher_core.errors import AgentError
from kube_log_watcher_core.files.disk import Disk
from kube_log_watcher_core.files.faults import Fault, Spared, attributed, summary
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
        """What is on the disk; None when only the disk can tell."""
        self._left: dict[Path, Owned] = {}
        """Names of ours that may be on the disk as well: to be removed, once that is possible."""
        self._has_seen_all = True
        self.placed: Mapping[Path, Item] = {}
        """What the last `apply` has put in place, by path."""

    def forget(self) -> None:
        """Trust the disk and not the memory, next time."""
        self._known = None

    def apply(self, items: Iterable[Item], owned: Iterable[Owned]) -> None:
        """Write what differs: links, then files; then prune.

        One item's fault is its own: all others are written, and what is stale is removed, but for what the
        item at fault was to take the place of. It is tried again at the next call. Where only room was
        lacking, what is stale is removed first, and the rest tried once more.
        Raises `PartlyFailed` with the first fault: of the disk, of an item outside ``owned``, or of a second,
        different item for one path, of which the first is written.
        """
        owned = tuple(owned)
        wanted, contested = _by_path(items)
        faults = self._write(wanted, owned)
        if full := [fault for fault in faults if fault.is_full]:
            # Else a full disk stayed full for ever: what would make room is only removed after a good write.
            faults = [fault for fault in faults if not fault.is_full]
            self._prune(wanted, owned, Spared([*contested, *faults]))
            faults += self._write({fault.path: wanted[fault.path] for fault in full}, owned)
        errors = [fault.error for fault in (*contested, *faults)]
        errors += self._prune(wanted, owned, Spared([*contested, *faults]))
        self._remember(wanted, faults, owned)
        if errors:
            raise summary(errors) from errors[0]

    def write(self, items: Iterable[Item], owned: Iterable[Owned]) -> None:
        """Put single items in place where they differ; remove nothing, and remember nothing.

        Raises `PartlyFailed` as `apply`.
        """
        wanted, faults = _by_path(items)
        faults += self._write(wanted, tuple(owned))
        if faults:
            raise summary([fault.error for fault in faults]) from faults[0].error

    def _write(self, wanted: Mapping[Path, Item], owned: tuple[Owned, ...]) -> list[Fault]:
        faults = []
        unsettled: dict[Path, list[tuple[Path, Owned]]] = {}
        known = self._known or {}
        changed = [
            item
            for path, item in wanted.items()
            if (before := known.get(path)) is not item and before != item
        ]
        for item in sorted(changed, key=lambda item: isinstance(item, File)):
            try:
                home = _home(item, owned)
            except AgentError as error:
                faults.append(Fault(item.path, error, refused=True))
                continue
            try:
                if self._write_one(item, home):
                    unsettled.setdefault(item.path.parent, []).append((item.path, home))
            except AgentError as error:
                faults.append(Fault(item.path, error))
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

    def _settle(self, written: Iterable[Sequence[tuple[Path, Owned]]]) -> list[Fault]:
        """Make new names last: once for each folder, not once for each of a thousand files in it."""
        faults = []
        for files in written:
            path, home = files[0]
            try:
                with self._parent(path, home) as fd, attributed(path.parent, is_folder=True):
                    self._disk.settle(fd)
            except AgentError as error:
                faults += [Fault(each, error) for each, _ in files]
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

    def _prune(
        self, wanted: Mapping[Path, Item], owned: tuple[Owned, ...], spared: Spared
    ) -> list[AgentError]:
        """Remove what is stale: all that is found, or all that this process knows of."""
        if self._known is None:
            return self._prune_all(wanted, owned, spared)
        stale = self._left.keys() | self._known.keys()
        stale -= wanted.keys()
        if not stale:
            self._left = {}
            return []
        left, errors = {}, []
        for path in stale:
            home = self._left.get(path)
            try:
                home = home or _home(self._known[path], owned)
                if path in spared:
                    left[path] = home
                else:
                    remove(self._disk, home, path)
            except AgentError as error:
                errors.append(error)
                if home is not None:
                    left[path] = home
        self._left = left
        self._known = {path: item for path, item in self._known.items() if path not in stale}
        return errors

    def _prune_all(
        self, wanted: Mapping[Path, Item], owned: tuple[Owned, ...], spared: Spared
    ) -> list[AgentError]:
        self._left, self._has_seen_all = {}, True
        errors: list[AgentError] = []
        for home in owned:
            pruned = prune(self._disk, home, keep=wanted.keys(), spared=spared)
            self._left.update(dict.fromkeys(pruned.left, home))
            self._has_seen_all = self._has_seen_all and not pruned.unseen
            errors += pruned.errors
        return errors

    def _remember(self, wanted: dict[Path, Item], faults: Sequence[Fault], owned: tuple[Owned, ...]) -> None:
        """Know what is on the disk now. Of an item at fault nobody knows: it is compared the next time."""
        failed = {fault.path for fault in faults}
        in_place = {path: item for path, item in wanted.items() if path not in failed} if failed else wanted
        self._left.update({each.path: _home(wanted[each.path], owned) for each in faults if not each.refused})
        self._known = in_place if self._has_seen_all else None
        self.placed = in_place


def _by_path(items: Iterable[Item]) -> tuple[dict[Path, Item], list[Fault]]:
    """Return the items by path, of several for one path the first."""
    wanted: dict[Path, Item] = {}
    contested: dict[Path, Fault] = {}
    for item in items:
        first = wanted.setdefault(item.path, item)
        if first is not item and first != item:
            text = f"refusing to write {item.path}: two different items want this path, and the first has it"
            contested[item.path] = Fault(item.path, AgentError(text), refused=True)
    return wanted, list(contested.values())


def _home(item: Item, owned: tuple[Owned, ...]) -> Owned:
    if isinstance(item, Link) and not can_be_named(str(item.target)):
        raise AgentError(f"refusing to write {item.path}: no path can be {str(item.target)!r}")
    for candidate in owned:
        if candidate.links == isinstance(item, Link) and candidate.matches(item.path):
            return candidate
    raise AgentError(f"refusing to write {item.path}: it is none of the names that this agent owns")
