"""The floor: a minimal inotify loop that rewrites the same bytes as the watcher, in a process of its own.

It knows nothing of pods and checks nothing. When a log appears, it writes ``agent.json`` and a job file, and
links, with the same calls that make each of them last.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from inotify_simple import INotify, flags


class Floor:
    """Waits for logs below a folder, one level deep (Docker) or two (CRI)."""

    def __init__(self, root: Path, depth: int, out: Path) -> None:
        self._out = out
        self._depth = depth
        self._inotify = INotify()
        self._watched: dict[int, tuple[Path, int]] = {}
        self._config = (out / "payload.json").read_bytes()
        self._job = (out / "payload.job").read_bytes()
        self._seen: set[Path] = set()
        list(self._watch(root, 0))

    def run(self) -> None:
        """Go on for ever."""
        (self._out / "ready").touch()
        while True:
            logs = [log for event in self._inotify.read() for log in self._look(event.wd, event.name)]
            for log in dict.fromkeys(logs):
                self._write(log)

    def _watch(self, folder: Path, depth: int) -> Iterator[Path]:
        wd = self._inotify.add_watch(folder, flags.CREATE | flags.MOVED_TO | flags.ONLYDIR)
        self._watched[wd] = folder, depth
        for name in os.listdir(folder):
            yield from self._look(wd, name)

    def _look(self, wd: int, name: str) -> Iterator[Path]:
        folder, depth = self._watched[wd]
        path = folder / name
        if depth < self._depth:
            if path.is_dir():
                yield from self._watch(path, depth + 1)
        elif name.endswith(".log") and path not in self._seen:
            self._seen.add(path)
            yield path

    def _write(self, log: Path) -> None:
        name = os.path.basename(os.path.realpath(log)) if self._depth == 1 else _id_of(self._out)
        container = name.removesuffix("-json.log")
        links = self._out / "links" / container
        links.mkdir(exist_ok=True)
        os.symlink(log, links / ".new")
        os.rename(links / ".new", links / "app-v1.log")
        _replace(self._out / "jobs" / f"container-{container}-jobfile.job", self._job)
        _replace(self._out / "scalyr" / "agent.json", self._config + container.encode())


def _id_of(out: Path) -> str:
    """Return the id that the next CRI container has: the driver tells it, the log's path does not."""
    return (out / "next").read_text(encoding="ascii")


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)
    os.rename(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    os.close(folder)


if __name__ == "__main__":
    Floor(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])).run()
