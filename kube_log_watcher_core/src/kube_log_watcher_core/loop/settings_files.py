"""Notices when one of the files that settings came from changes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from inotify_simple import INotify, flags

from kube_log_watcher_core.files.signature import Signature, signature

_EVENTS = flags.CREATE | flags.MOVED_TO | flags.CLOSE_WRITE | flags.DELETE | flags.ONLYDIR


class SettingsFiles:
    """Watches the folders of some files, by inotify where it can be had.

    A ConfigMap or Secret is a folder whose ``..data`` link is replaced by a rename, so it is the
    folders that are watched, and it is what a link leads to that is compared.

    Parameters
    ----------
    files
        with the signatures that they had when they were read: what has changed since then is a change.
    """

    def __init__(self, files: Mapping[Path, Signature | None]) -> None:
        self._seen = dict(files)
        self._inotify: INotify | None = None
        # Without inotify (EMFILE, ENOSPC), `changed` at every full pass still notices.
        with contextlib.suppress(OSError):
            self._inotify = INotify(nonblocking=True, inheritable=False) if files else None
        for folder in {file.parent for file in files}:
            with contextlib.suppress(OSError):
                if self._inotify is not None:
                    self._inotify.add_watch(folder, _EVENTS)

    def fileno(self) -> int | None:
        """Return the descriptor to wait on, None when there is none."""
        return None if self._inotify is None else self._inotify.fileno()

    def changed(self) -> bool:
        """Whether a file differs from what it was the last time."""
        if self._inotify is not None:
            self._inotify.read(timeout=0)
        now = {file: signature(file) for file in self._seen}
        changed, self._seen = now != self._seen, now
        return changed

    def close(self) -> None:
        """Stop watching."""
        if self._inotify is not None:
            self._inotify.close()
