"""Watches on folders, by one inotify instance for all of them."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Collection
from typing import NamedTuple

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

# All else speaks of the one folder, which is going, hidden, ill or none.
_USED_UP = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.ENOMEM})

_REMEDIES = {
    errno.EMFILE: "raise the limit of open files, or fs.inotify.max_user_instances",
    errno.ENFILE: "raise fs.file-max",
    errno.ENOSPC: "raise fs.inotify.max_user_watches",
}

logger = logging.getLogger(__name__)


class Hint(NamedTuple):
    """Where to look again."""

    owner: str
    name: str
    """The entry of the folder that changed; empty when it is the folder itself."""
    lost: bool
    """The watch has ended: the folder is gone, moved or unmounted."""


def open_inotify() -> INotify:
    """Open an inotify instance. Raises OSError."""
    return INotify(nonblocking=True)


class Watches:
    """Which folder is watched for whom. Folders only: a kernel allows few watches."""

    def __init__(self, open_source: Callable[[], INotify] = open_inotify) -> None:
        self._open_source = open_source
        self._source: INotify | None = None
        # The kernel has one watch for an inode, by whatever paths and for whomever it is asked for.
        self._by_wd: dict[int, dict[tuple[str, str], bool]] = {}
        """By owner and path: whether files written in place are asked for."""
        self._by_owner: dict[str, dict[str, int]] = {}
        self.reason: str | None = None
        """Why inotify can't be had; None while it does its work."""

    def __len__(self) -> int:
        return len(self._by_wd)

    def fileno(self) -> int | None:
        """Return the descriptor to wait on, None while inotify can't be had."""
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
            others = [asked for key, asked in self._by_wd.get(wd, {}).items() if key != (owner, folder)]
            if not written and any(others):
                wd = self._source.add_watch(folder, _FOLDER | _WRITTEN)  # the last mask is the one that holds
        except OSError as error:
            if error.errno in _USED_UP:
                self._give_up(error)
            return
        owned = self._by_owner.setdefault(owner, {})
        if owned.get(folder, wd) != wd:
            self._remove(owned[folder], owner, folder)
        owned[folder] = wd
        self._by_wd.setdefault(wd, {})[owner, folder] = written

    def retain(self, owner: str, folders: Collection[str]) -> None:
        """Stop watching all of an owner's folders but these."""
        owned = self._by_owner.get(owner, {})
        for folder in [folder for folder in owned if folder not in folders]:
            self._remove(owned.pop(folder), owner, folder)

    def release(self, owner: str) -> None:
        """Stop watching all of an owner's folders."""
        for folder, wd in self._by_owner.pop(owner, {}).items():
            self._remove(wd, owner, folder)

    def read(self) -> list[Hint] | None:
        """Return the hints that are there without waiting, None when some were lost."""
        if self._source is None:
            return []
        hints, complete = [], True
        for event in self._source.read(timeout=0):
            complete = complete and not event.mask & _OVERFLOW
            lost = bool(event.mask & _LOST)
            hints += [Hint(owner, event.name, lost=lost) for owner, _ in self._by_wd.get(event.wd, ())]
            if event.mask & _IGNORED:
                for owner, folder in self._by_wd.pop(event.wd, ()):
                    owned = self._by_owner.get(owner, {})
                    if owned.get(folder) == event.wd:
                        del owned[folder]
                    if not owned:
                        self._by_owner.pop(owner, None)
        return hints if complete else None

    def close(self) -> None:
        """Give everything back."""
        if self._source is not None:
            self._source.close()
        self._source = None
        self._by_wd.clear()
        self._by_owner.clear()

    def _remove(self, wd: int, owner: str, folder: str) -> None:
        owners = self._by_wd.get(wd, {})
        owners.pop((owner, folder), None)
        if owners or self._source is None or self._by_wd.pop(wd, None) is None:
            return
        try:
            self._source.rm_watch(wd)
        except OSError as error:
            if error.errno != errno.EINVAL:  # the kernel has removed it with its folder
                raise

    def _give_up(self, error: OSError) -> None:
        self.close()
        remedy = _REMEDIES.get(error.errno or 0, "see the kernel's limits below /proc/sys/fs/inotify")
        reason = f"inotify can't be had ({error.strerror}): {remedy}"
        if self.reason is None:
            logger.warning("%s; until then the node's folders are listed every second", reason)
        self.reason = reason
