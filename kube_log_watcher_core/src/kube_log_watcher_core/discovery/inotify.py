"""Watches on folders, by one inotify instance for all of them."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol

from inotify_simple import INotify, flags

_FOLDER = int(
    flags.CREATE
    | flags.DELETE
    | flags.MOVED_FROM
    | flags.MOVED_TO
    | flags.DELETE_SELF
    | flags.MOVE_SELF
    | flags.ONLYDIR
)
_WRITTEN = int(flags.CLOSE_WRITE)
_LOST = int(flags.DELETE_SELF | flags.MOVE_SELF | flags.UNMOUNT | flags.IGNORED)
_IGNORED = int(flags.IGNORED)
_OVERFLOW = int(flags.Q_OVERFLOW)

# These speak of the one folder, which is going, hidden or none. All else means that watches are used up.
_OF_THE_FOLDER = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP, errno.ENAMETOOLONG})

_REMEDIES = {
    errno.EMFILE: "raise the limit of open files, or fs.inotify.max_user_instances",
    errno.ENFILE: "raise fs.file-max",
    errno.ENOSPC: "raise fs.inotify.max_user_watches",
}

logger = logging.getLogger(__name__)


class Event(Protocol):
    """One event, as inotify gives it."""

    @property
    def wd(self) -> int:
        """Which watch it came by."""
        ...

    @property
    def mask(self) -> int:
        """What happened, in the kernel's flags."""
        ...

    @property
    def name(self) -> str:
        """The entry of the watched folder; empty when it is the folder itself."""
        ...


class EventSource(Protocol):
    """What is used of an inotify instance."""

    def fileno(self) -> int:
        """Give the descriptor to wait on."""
        ...

    def add_watch(self, path: str, mask: int) -> int:
        """Watch a folder, or change how it is watched. Raises OSError."""
        ...

    def rm_watch(self, wd: int) -> None:
        """End a watch. Raises OSError with EINVAL when it has ended by itself."""
        ...

    def read(self, timeout: int | None = None) -> Sequence[Event]:
        """Give the events that are there, after at most so many milliseconds."""
        ...

    def close(self) -> None:
        """Give the descriptor back."""
        ...


class Hint(NamedTuple):
    """Where to look again."""

    owner: str
    name: str
    """The entry of the folder that changed; empty when it is the folder itself."""
    lost: bool
    """The watch has ended: the folder is gone, moved or unmounted."""


class _Watch(NamedTuple):
    owner: str
    folder: str


def open_inotify() -> EventSource:
    """Open an inotify instance. Raises OSError."""
    return INotify(nonblocking=True)


class Watches:
    """Which folder is watched for whom. Folders only: a kernel allows few watches."""

    def __init__(self, open_source: Callable[[], EventSource] = open_inotify) -> None:
        self._open_source = open_source
        self._source: EventSource | None = None
        self._by_wd: dict[int, _Watch] = {}
        self._by_owner: dict[str, dict[str, int]] = {}
        self.reason: str | None = None
        """Why inotify can't be had; None while it does its work."""

    def __len__(self) -> int:
        return len(self._by_wd)

    def fileno(self) -> int | None:
        """Give the descriptor to wait on, None while inotify can't be had."""
        return None if self._source is None else self._source.fileno()

    def open(self) -> None:
        """Try to have inotify, unless it is there."""
        if self._source is None:
            try:
                self._source = self._open_source()
            except OSError as error:
                self._give_up(error)

    def confirm(self) -> None:
        """Take note that all folders are watched again."""
        if self._source is not None and self.reason is not None:
            self.reason = None
            logger.info("inotify works again: changes on the node are seen at once")

    def watch(self, folder: str, *, owner: str, written: bool = False) -> None:
        """Watch a folder, or watch it still; `written` asks for files that are written in place, too."""
        if self._source is None:
            return
        try:
            wd = self._source.add_watch(folder, _FOLDER | _WRITTEN if written else _FOLDER)
        except OSError as error:
            if error.errno not in _OF_THE_FOLDER:
                self._give_up(error)
            return
        owned = self._by_owner.setdefault(owner, {})
        if owned.get(folder, wd) != wd:
            self._remove(owned[folder], owner)
        owned[folder] = wd
        self._by_wd[wd] = _Watch(owner, folder)

    def retain(self, owner: str, folders: Collection[str]) -> None:
        """Stop watching all of an owner's folders but these."""
        owned = self._by_owner.get(owner, {})
        for folder in [folder for folder in owned if folder not in folders]:
            self._remove(owned.pop(folder), owner)

    def release(self, owner: str) -> None:
        """Stop watching all of an owner's folders."""
        for wd in self._by_owner.pop(owner, {}).values():
            self._remove(wd, owner)

    def read(self) -> list[Hint] | None:
        """Give the hints that are there without waiting, None when some were lost."""
        if self._source is None:
            return []
        hints, complete = [], True
        for event in self._source.read(timeout=0):
            complete = complete and not event.mask & _OVERFLOW
            watch = self._by_wd.get(event.wd)
            if watch is None:
                continue
            if event.mask & _IGNORED:
                self._forget(event.wd, watch)
            hints.append(Hint(watch.owner, event.name, lost=bool(event.mask & _LOST)))
        return hints if complete else None

    def close(self) -> None:
        """Give everything back."""
        if self._source is not None:
            self._source.close()
        self._source = None
        self._by_wd.clear()
        self._by_owner.clear()

    def _remove(self, wd: int, owner: str) -> None:
        # A folder that was moved within the tree is its new owner's by now.
        watch = self._by_wd.get(wd)
        if self._source is None or watch is None or watch.owner != owner:
            return
        del self._by_wd[wd]
        try:
            self._source.rm_watch(wd)
        except OSError as error:
            if error.errno != errno.EINVAL:  # the kernel has removed it with its folder
                raise

    def _forget(self, wd: int, watch: _Watch) -> None:
        del self._by_wd[wd]
        owned = self._by_owner.get(watch.owner, {})
        if owned.get(watch.folder) == wd:
            del owned[watch.folder]
        if not owned:
            self._by_owner.pop(watch.owner, None)

    def _give_up(self, error: OSError) -> None:
        self.close()
        remedy = _REMEDIES.get(error.errno or 0, "see the kernel's limits below /proc/sys/fs/inotify")
        reason = f"inotify can't be had ({error.strerror}): {remedy}"
        if self.reason is None:
            logger.warning("%s; until then the node's folders are listed every second", reason)
        self.reason = reason
