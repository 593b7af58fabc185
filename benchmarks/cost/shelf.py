"""The shippers' folders, watched: they tell when a configuration is complete."""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from pathlib import Path

from inotify_simple import INotify, flags

WAIT_SECONDS = 60.0

_ID = re.compile(r"[0-9a-f]{64}")


class Shelf:
    """``agent.json`` and the job files in a folder, and what arrives there."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "scalyr" / "agent.json"
        self.jobs = folder / "jobs"
        self.links = folder / "links"
        for each in (self.config.parent, self.jobs, self.links):
            each.mkdir(parents=True, exist_ok=True)
        self._inotify = INotify(nonblocking=False, inheritable=False)
        for each in (self.config.parent, self.jobs):
            self._inotify.add_watch(each, flags.MOVED_TO)

    def close(self) -> None:
        """Stop watching."""
        self._inotify.close()

    def forget(self) -> None:
        """Take all events so far as seen."""
        self._inotify.read(timeout=0)

    def arrivals(self, ids: Collection[str]) -> dict[str, float]:
        """Wait until these containers are followed by both shippers, and tell when each was, by the clock.

        Raises
        ------
        TimeoutError
            when that does not happen within a minute.
        """
        complete: dict[str, float] = {}
        deadline = time.monotonic() + WAIT_SECONDS
        while missing := set(ids) - complete.keys():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(missing)} containers were not followed in time")
            self._inotify.read(timeout=1000)
            now = time.monotonic()
            complete.update(dict.fromkeys(self._followed(missing), now))
        return complete

    def wait_without(self, container: str) -> None:
        """Wait until a container is in nobody's configuration any more. Raises TimeoutError."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self._followed([container]) or self.job(container).exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{container} is still followed")
            time.sleep(0.01)

    def _followed(self, ids: Collection[str]) -> set[str]:
        text = self.config.read_text(encoding="utf-8") if self.config.exists() else ""
        return {each for each in _ID.findall(text) if each in ids and self.job(each).exists()}

    def job(self, container: str) -> Path:
        """Name a container's job file."""
        return self.jobs / f"container-{container}-jobfile.job"

    def identities(self) -> dict[Path, tuple[int, int]]:
        """Return inode and last change of all that is there: an untouched file keeps both."""
        found = {}
        for folder in (self.config.parent, self.jobs, self.links):
            for path in (each for each in folder.rglob("*") if each.is_symlink() or each.is_file()):
                status = path.lstat()
                found[path] = status.st_ino, status.st_mtime_ns
        return found
