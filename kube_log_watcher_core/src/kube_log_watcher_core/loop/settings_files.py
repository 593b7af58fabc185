"""Notices when one of the files that settings came from changes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from inotify_simple import INotify, flags

from kube_log_watcher_core.files.signature import Signature, signature

_EVENTS = flags.CREATE | flags.MOVED_TO | flags.CLOSE_WRITE | flags.DELETE | flags.ONLYDIR


class SettingsFiles:
    """Watches the folders of some files, by inotify where it can be had.

    A ConfigMap or Secret is a folder whose ``..data`` link is replaced by a rename, so it is the
    folders that are watched, and it is what a link leads to that is compared.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = tuple(dict.fromkeys(files))
        self._inotify: INotify | None = None
        # Without inotify (EMFILE, ENOSPC), `changed` at every full pass still notices.
        with contextlib.suppress(OSError):
            self._inotify = self._watch()
        self._last = self._signatures()

    def _watch(self) -> INotify | None:
        if not self._files:
            return None
        inotify = INotify(nonblocking=True, inheritable=False)
        for folder in {file.parent for file in self._files}:
            with contextlib.suppress(OSError):
                inotify.add_watch(folder, _EVENTS)
        return inotify

    def fileno(self) -> int | None:
        """Return the descriptor to wait on, None when there is none."""
        return None if self._inotify is None else self._inotify.fileno()

    def changed(self) -> bool:
        """Whether a file differs from what it was the last time."""
        if self._inotify is not None:
            self._inotify.read(timeout=0)
        now = self._signatures()
        changed, self._last = now != self._last, now
        return changed

    def _signatures(self) -> Mapping[Path, Signature | None]:
        return {file: signature(file) for file in self._files}

    def close(self) -> None:
        """Stop watching."""
        if self._inotify is not None:
            self._inotify.close()
