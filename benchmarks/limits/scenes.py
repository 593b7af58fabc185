"""The scenes: each gives what it wrote and what was lost, and has one beside it that loses nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from benchmarks.limits.static import Static

BATCH = 100
RATE = 100
CHURN_SECONDS = 45.0
ROTATION_SECONDS = 7.0
RELOAD_SECONDS = 6.0
"""More than 5 s: after each reload, the Scalyr agent's next round comes up to so much later."""


@attrs.frozen
class Outcome:
    """What came of a scene."""

    name: str
    written: int
    lost: int
    doubled: int


def _outcome(name: str, static: Static) -> Outcome:
    lost = static.lost()
    return Outcome(name, static.written, lost, len(static.shipped) - len(set(static.shipped)))


def _log(folder: Path) -> Path:
    log = folder / "logs" / "0.log"
    log.parent.mkdir(parents=True)
    log.touch()
    return log


def _rotate(log: Path, number: int, *, compress: bool) -> None:
    """Rename a log as the kubelet does; the one before becomes another file, if wanted, as by compression."""
    for before in log.parent.glob(f"{log.name}.2*") if compress else ():
        before.with_name(f"{before.name}.gz").write_bytes(b"compressed")
        before.unlink()
    log.rename(log.with_name(f"{log.name}.20240101-{number:06}"))
    log.touch()


def rotations_while_stopped(folder: Path, times: int) -> Static:
    """Rotate so many times while the shipper is stopped; each file has lines that it did not read."""
    with Static(folder, _log(folder)) as static:
        static.write(BATCH)
        static.arrive()
        static.stop()
        for number in range(times):
            static.write(BATCH)
            _rotate(static.log, number, compress=True)
        static.write(BATCH)
        static.start()
        static.lost()
    return static


def short_life(folder: Path, life_seconds: float) -> Static:
    """Let a log come, with an entry written at that very moment, and go again."""
    log = folder / "logs" / "0.log"
    log.parent.mkdir(parents=True)
    with Static(folder, log) as static:
        static.configure(check_seconds=3.0, paths=[])
        static.come_round()
        time.sleep(1.0)
        static.write(BATCH)
        static.configure(check_seconds=3.0, paths=[log])
        time.sleep(life_seconds)
        log.unlink()
        static.lost()
    return static


def gone_unread(folder: Path, *, reload: bool) -> Static:
    """Write and remove a log between two rounds of the shipper, and let it reload meanwhile or not."""
    with Static(folder, _log(folder)) as static:
        static.write(BATCH)
        static.arrive()
        static.come_round()
        static.write(BATCH)
        static.log.unlink()
        if reload:
            static.reload()
        static.lost()
    return static


def gone_while_stopped(folder: Path) -> Static:
    """Remove a log while the shipper is stopped."""
    with Static(folder, _log(folder)) as static:
        static.write(BATCH)
        static.arrive()
        static.stop()
        static.write(BATCH)
        static.log.unlink()
        static.start()
        static.lost()
    return static


def entry_removed_unread(folder: Path) -> Static:
    """Remove the entry of a log that is there, with lines that were not read: why there is a drain."""
    with Static(folder, _log(folder)) as static:
        static.write(BATCH)
        static.arrive()
        static.come_round()
        static.write(BATCH)
        static.configure(paths=[])
        static.lost()
    return static


def path_kind(folder: Path, kind: str) -> Static:
    """Rotate and reload for a while, with a configured path that is real, or goes through a link."""
    log = _log(folder)
    links = folder / "links"
    links.mkdir()
    configured = {"real": log, "file link": links / "app.log", "folder link": links / "folder" / log.name}
    (links / "app.log").symlink_to(log)
    (links / "folder").symlink_to(log.parent)
    with Static(folder, log, configured=configured[kind]) as static:
        _churn(static, reload_seconds=RELOAD_SECONDS, compress=False)
        static.lost()
    return static


def starved(folder: Path) -> Static:
    """Change the configuration every 2 s, while the kubelet rotates and compresses."""
    with Static(folder, _log(folder)) as static:
        _churn(static, reload_seconds=2.0, compress=True)
        static.lost()
    return static


def away_while_written_to(folder: Path, *, killed: bool) -> Static:
    """Write all the time, and end the shipper three times, by SIGKILL or as an operator does."""
    with Static(folder, _log(folder)) as static:
        begin = time.monotonic()
        for _ in range(3):
            _write_for(static, begin, 8.0)
            if killed:
                static.kill()
            else:
                static.stop()
            _write_for(static, begin, 2.0)
            static.start()
        static.lost()
    return static


def _write_for(static: Static, begin: float, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        static.write(max(int((now - begin) * RATE) - static.written, 0))
        time.sleep(0.02)


def _churn(static: Static, *, reload_seconds: float, compress: bool) -> None:
    begin = time.monotonic()
    rotations = reloads = 0
    while (passed := time.monotonic() - begin) < CHURN_SECONDS:
        static.write(max(int(passed * RATE) - static.written, 0))
        if passed >= (rotations + 1) * ROTATION_SECONDS:
            _rotate(static.log, rotations, compress=compress)
            rotations += 1
        if passed >= (reloads + 1) * reload_seconds:
            static.configure()
            reloads += 1
        time.sleep(0.02)


SCENES: dict[str, Callable[[Path], Static]] = {
    "rotated once while stopped": lambda folder: rotations_while_stopped(folder, 1),
    "rotated twice while stopped, the first compressed": lambda folder: rotations_while_stopped(folder, 2),
    "configured at once, gone 0.5 s later, looked at every 3 s": lambda folder: short_life(folder, 0.5),
    "configured at once, gone 9 s later, looked at every 3 s": lambda folder: short_life(folder, 9.0),
    "gone between two rounds": lambda folder: gone_unread(folder, reload=False),
    "gone between two rounds, reload before the second": lambda folder: gone_unread(folder, reload=True),
    "gone while stopped": gone_while_stopped,
    "entry removed between two rounds, the log is there": entry_removed_unread,
    "stopped and started three times": lambda folder: away_while_written_to(folder, killed=False),
    "killed by SIGKILL and started three times": lambda folder: away_while_written_to(folder, killed=True),
    "rotated and reloaded, real path": lambda folder: path_kind(folder, "real"),
    "rotated and reloaded, link to the folder": lambda folder: path_kind(folder, "folder link"),
    "rotated and reloaded, link to the file": lambda folder: path_kind(folder, "file link"),
    "rotated and reloaded every 2 s, real path": starved,
}


def play(folder: Path, only: str = "") -> Iterator[Outcome]:
    """Play the scenes whose names contain a text."""
    for number, (name, scene) in enumerate(SCENES.items()):
        if only in name:
            place = folder / str(number)
            place.mkdir()
            yield _outcome(name, scene(place))
