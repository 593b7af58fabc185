"""A shipper with its one static configuration, over a spool in which nobody but this program links files."""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.churn.lines import Line
from benchmarks.churn.pace import HARSH
from benchmarks.churn.shippers.program import wait_until
from benchmarks.churn.shippers.shipper import Shipper
from kube_log_watcher_core.segments import Place

_HEAD, _TAIL = re.compile(r"limit head=(\d+) "), re.compile(r" tail=(\d+) end")
QUIET_SECONDS = 10.0
"""When nothing has come for so long, nothing will: longer than any of them waits before it tries again."""
PLACE = Place("team_shop-1_6f1d3a52-8f0c-4b5e-9d0a-3f0d9c7b1e24", "main-" + "a" * 64)


class Spooled:
    """Ships one container's segments, whose lines have a number at both ends, and counts what arrives."""

    def __init__(self, folder: Path, kind: type[Shipper]) -> None:
        self._segments = folder / "node" / "spool" / PLACE.folder
        self._segments.mkdir(parents=True)
        self.written = 0
        self._heads: Counter[int] = Counter()
        self._tails: Counter[int] = Counter()
        self.torn = 0
        """Records that hold one end of a line and not the other."""
        self._segment = 0
        self._last_news = time.monotonic()
        self.shipper = kind(folder, pace=HARSH, take_lines=self._take)
        for path, content in self.shipper.needs_to_start().items():
            path.write_text(content)
        self.rotate()

    def __enter__(self) -> Self:
        self.shipper.__enter__()
        self.shipper.start()
        self.write(1)
        self.arrive()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shipper.kill()
        self.shipper.__exit__(kind, error, trace)

    # ------------------------------------------------------------------ the log, as a CRI runtime writes it

    def rotate(self) -> None:
        """Begin the next segment."""
        self._segment += 1
        self._log = self._segments / PLACE.segment(self._segment)
        self._log.touch()

    def write(self, lines: int) -> None:
        """Write so many lines."""
        for number in range(self.written, self.written + lines):
            self._append("F", f"limit head={number} tail={number} end")
        self.written += lines

    def begin_long_line(self) -> None:
        """Write the first piece of a long line, as a runtime does that has not got the rest yet."""
        self._append("P", f"limit head={self.written} ")

    def end_long_line(self) -> None:
        """Write its last piece."""
        self._append("F", f" tail={self.written} end")
        self.written += 1

    def begin_line(self) -> None:
        """Write the first bytes of a line, whose end is not on disk yet."""
        self._write(f"{_now()} stdout F limit head={self.written} ")

    def end_line(self) -> None:
        """Write its last bytes."""
        self._write(f" tail={self.written} end\n")
        self.written += 1

    def _append(self, tag: str, text: str) -> None:
        self._write(f"{_now()} stdout {tag} {text}\n")

    def _write(self, text: str) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(text)

    # ------------------------------------------------------------------ the shipper

    def stop(self) -> None:
        """Stop it as an operator does."""
        self.shipper.program.stop()

    def kill(self) -> None:
        """End it by SIGKILL, as the kernel does where memory runs out."""
        self.shipper.kill()

    # ------------------------------------------------------------------ what has come

    def arrive(self) -> None:
        """Wait until all that was written has arrived."""
        wait_until(lambda: self.lost() == 0, timeout=60, what=f"all lines ({self.shipper.log[-2000:]})")

    def settle(self) -> None:
        """Wait until nothing comes any more."""
        self._last_news = time.monotonic()
        wait_until(lambda: time.monotonic() - self._last_news > QUIET_SECONDS, timeout=120, what="silence")

    def lost(self) -> int:
        """Count the lines of which an end has not arrived."""
        return sum(not (self._heads[each] and self._tails[each]) for each in range(self.written))

    def doubled(self) -> int:
        """Count what has arrived once more."""
        return sum(times - 1 for times in self._heads.values() if times > 1)

    def _take(self, lines: list[Line]) -> None:
        for line in lines:
            heads = [int(number) for number in _HEAD.findall(line.message)]
            tails = [int(number) for number in _TAIL.findall(line.message)]
            self._heads.update(heads)
            self._tails.update(tails)
            self.torn += heads != tails
        if lines:
            self._last_news = time.monotonic()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
