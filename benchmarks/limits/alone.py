"""The scenes of shippers that read nothing but segments: what each loses by itself, or ships twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import attrs

from benchmarks.churn.shippers.shipper import Shipper
from benchmarks.limits.spooled import Spooled

RATE = 200
TIMES = 5
REFUSED_SECONDS = 8.0
READ_SECONDS = 3.0
"""Within which each of them has read what is on disk."""


@attrs.frozen
class Alone:
    """What came of a scene."""

    name: str
    written: int
    lost: int
    doubled: int
    torn: int
    """Records with one part of a line."""


def stopped(spooled: Spooled) -> None:
    """Stop it while it is written to."""
    _end_again_and_again(spooled, spooled.stop)


def killed(spooled: Spooled) -> None:
    """Kill it while it is written to."""
    _end_again_and_again(spooled, spooled.kill)


def refused(spooled: Spooled) -> None:
    """Refuse what it ships."""
    with_refusal(spooled, lambda: None)


def stopped_while_refused(spooled: Spooled) -> None:
    """Stop it with lines that it has read and could not deliver."""
    with_refusal(spooled, spooled.stop)


def killed_while_refused(spooled: Spooled) -> None:
    """Kill it with lines that it has read and could not deliver."""
    with_refusal(spooled, spooled.kill)


def with_refusal(spooled: Spooled, end: Callable[[], None]) -> None:
    """Refuse for a while, and end it in the middle of that."""
    _write_for(spooled, 2.0)
    spooled.shipper.refuse()
    _write_for(spooled, REFUSED_SECONDS / 2)
    end()
    if not spooled.shipper.running:
        spooled.shipper.start()
    _write_for(spooled, REFUSED_SECONDS / 2)
    spooled.shipper.accept()


def killed_within_a_line(spooled: Spooled) -> None:
    """Kill it when the first bytes of a line are on disk."""
    spooled.begin_line()
    _end_and_start(spooled, spooled.kill)
    spooled.end_line()


def stopped_within_a_long_line(spooled: Spooled) -> None:
    """Stop it when the first piece of a long line is on disk."""
    spooled.begin_long_line()
    _end_and_start(spooled, spooled.stop)
    spooled.end_long_line()


def killed_within_a_long_line(spooled: Spooled) -> None:
    """Kill it when the first piece of a long line is on disk."""
    spooled.begin_long_line()
    _end_and_start(spooled, spooled.kill)
    spooled.end_long_line()


def rotated_within_a_long_line(spooled: Spooled) -> None:
    """Begin a new segment between the pieces of a long line."""
    spooled.begin_long_line()
    spooled.rotate()
    spooled.end_long_line()


def long_line(spooled: Spooled) -> None:
    """Write the pieces of a long line some seconds from each other."""
    spooled.begin_long_line()
    time.sleep(READ_SECONDS)
    spooled.end_long_line()


SCENES: Mapping[str, Callable[[Spooled], None]] = {
    "refused for 8 s": refused,
    "stopped five times while it is written to": stopped,
    "SIGKILL five times while it is written to": killed,
    "stopped while it is refused": stopped_while_refused,
    "SIGKILL while it is refused": killed_while_refused,
    "SIGKILL within a line": killed_within_a_line,
    "a long line in two pieces": long_line,
    "stopped between two pieces of a long line": stopped_within_a_long_line,
    "SIGKILL between two pieces of a long line": killed_within_a_long_line,
    "a new segment between two pieces of a long line": rotated_within_a_long_line,
}


def play_alone(kind: type[Shipper], folder: Path, only: str = "") -> Iterator[Alone]:
    """Play the scenes whose names contain a text."""
    for number, (name, scene) in enumerate(SCENES.items()):
        if only not in name:
            continue
        with Spooled(folder / str(number), kind) as spooled:
            scene(spooled)
            spooled.write(1)
            spooled.settle()
            yield Alone(name, spooled.written, spooled.lost(), spooled.doubled(), spooled.torn)


def _end_again_and_again(spooled: Spooled, end: Callable[[], None]) -> None:
    for _ in range(TIMES):
        _write_for(spooled, 4.0)
        end()
        _write_for(spooled, 1.0)
        spooled.shipper.start()


def _end_and_start(spooled: Spooled, end: Callable[[], None]) -> None:
    time.sleep(READ_SECONDS)
    end()
    spooled.shipper.start()
    time.sleep(READ_SECONDS)


def _write_for(spooled: Spooled, seconds: float) -> None:
    begin, before = time.monotonic(), spooled.written
    while (passed := time.monotonic() - begin) < seconds:
        spooled.write(max(int(passed * RATE) - (spooled.written - before), 0))
        time.sleep(0.01)
