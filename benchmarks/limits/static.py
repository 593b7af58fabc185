"""A Scalyr agent with a configuration that was written by hand, and one log."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.churn.lines import Line
from benchmarks.churn.shippers.program import wait_until
from benchmarks.churn.shippers.scalyr import ScalyrAgent, ScalyrIntake

_LINE = re.compile(r"limit line=(\d+) end")
QUIET_SECONDS = 7.0
"""When nothing has come for so long, nothing will: the Scalyr agent comes round every 5 s at least."""


class Static:
    """Ships one log, whose lines are numbered, and counts what arrives.

    Parameters
    ----------
    log
        the file that is written to; its folder exists.
    configured
        the path that the configuration names, when that is another one.
    """

    def __init__(self, folder: Path, log: Path, *, configured: Path | None = None) -> None:
        self.log = log
        self.written = 0
        self.shipped: list[int] = []
        """The numbers of the lines that arrived."""
        self._paths = [configured or log]
        self._config = folder / "agent.json"
        self._last_news = time.monotonic()
        self._intake = ScalyrIntake(self._take)
        self._shipper = ScalyrAgent(self._config, server=self._intake.url, folder=folder / "shipper")
        self._changes = 0

    def __enter__(self) -> Self:
        self._intake.__enter__()
        self.configure()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shipper.kill()
        self._intake.__exit__(kind, error, trace)

    # ------------------------------------------------------------------ the shipper

    def configure(self, *, check_seconds: float = 0.5, paths: Iterable[Path] | None = None) -> None:
        """Write the configuration anew; it differs from the one before."""
        self._changes += 1
        self._paths = list(paths) if paths is not None else self._paths
        document = {
            "api_key": "static",
            "implicit_metric_monitor": False,
            "implicit_agent_process_metrics_monitor": False,
            "config_change_check_interval": check_seconds,
            "server_attributes": {"change": str(self._changes)},
            "monitors": [],
            "logs": [_entry(path) for path in self._paths],
        }
        temporary = self._config.with_suffix(".new")
        temporary.write_text(json.dumps(document))
        temporary.replace(self._config)

    def start(self) -> None:
        """Start the Scalyr agent, and wait until it has come round."""
        before = self._intake.requests
        self._shipper.start()
        wait_until(lambda: self._intake.requests > before, timeout=30, what="the Scalyr agent")

    def stop(self) -> None:
        """Stop it as an operator does."""
        self._shipper.stop()

    def kill(self) -> None:
        """End it by SIGKILL, as the kernel does where memory runs out."""
        self._shipper.kill()

    def come_round(self) -> None:
        """Wait until it has read its files once more."""
        before = self._intake.requests
        wait_until(lambda: self._intake.requests > before, timeout=30, what="a round")

    def reload(self) -> None:
        """Wait until it has taken up the latest configuration."""
        seen = "New configuration file seen"
        before = self._shipper.output.count(seen)
        self.configure()
        wait_until(lambda: self._shipper.output.count(seen) > before, timeout=30, what="a reload")

    # ------------------------------------------------------------------ the log

    def write(self, lines: int) -> None:
        """Write so many lines."""
        with self.log.open("a", encoding="utf-8") as log:
            for number in range(self.written, self.written + lines):
                log.write(f"limit line={number} end\n")
        self.written += lines

    def arrive(self) -> None:
        """Wait until all that was written has arrived."""
        wait_until(lambda: len(set(self.shipped)) == self.written, timeout=30, what="all lines")

    def lost(self) -> int:
        """Wait until nothing comes any more, and count what is missing."""
        self._last_news = time.monotonic()
        wait_until(
            lambda: (
                len(set(self.shipped)) == self.written or time.monotonic() - self._last_news > QUIET_SECONDS
            ),
            timeout=120,
            what="silence",
        )
        return self.written - len(set(self.shipped))

    def _take(self, lines: list[Line]) -> None:
        found = [int(match[1]) for line in lines if (match := _LINE.search(line.message))]
        if found:
            self.shipped += found
            self._last_news = time.monotonic()


def _entry(path: Path) -> Mapping[str, object]:
    return {"path": str(path), "copy_from_start": True, "attributes": {"parser": "raw"}}
