"""The Scalyr agent, configured by the watcher's agent of its name."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.churn.pace import Pace
from benchmarks.churn.pods import DECODED
from benchmarks.churn.shipper import Intake, Shipper, TakeLines


class Scalyr(Shipper):
    """The real agent, on the ``agent.json`` that the watcher wrote."""

    tells_labels = True
    stands_kills = False

    def __init__(self, folder: Path, *, pace: Pace, take_lines: TakeLines) -> None:
        self._pace = pace
        self._intake = Intake(take_lines)
        self.config = folder / "config" / "agent.json"
        self._links = folder / "links"
        for each in (self.config.parent, self._links):
            each.mkdir()
        super().__init__(
            self.config, server=self._intake.url, folder=folder / "shipper", environ=pace.shipper_environ()
        )

    def __enter__(self) -> Self:
        self._intake.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._intake.__exit__(kind, error, trace)

    @property
    def rounds(self) -> int:
        """How many requests it has sent: one at each round over its files, empty or not."""
        return self._intake.requests

    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the settings of the agent `scalyr`."""
        pace = self._pace
        return {
            "WATCHER_AGENTS": "scalyr",
            "WATCHER_LABELS_AS_ATTRIBUTES": "churn-pod",
            "WATCHER_SCALYR_API_KEY": "churn",
            "WATCHER_SCALYR_CONFIG_PATH": self.config,
            "WATCHER_SCALYR_DEST_PATH": self._links,
            "WATCHER_SCALYR_DATA_PATH": self.data,
            "WATCHER_SCALYR_CONFIG_CHECK_INTERVAL": str(pace.config_check),
            "WATCHER_SCALYR_WRITE_INTERVAL": str(pace.write_interval),
            "WATCHER_SCALYR_HOLD_SECONDS": str(pace.hold),
            "WATCHER_SCALYR_PARSE_LINES_JSON": DECODED,
        }

    def is_configured(self) -> bool:
        """Whether there is an ``agent.json``."""
        return self.config.exists()

    def is_settled(self) -> bool:
        """Whether it must have taken up the file, and no drain will change that: all logs are there."""
        age = time.time() - self.config.stat().st_mtime
        logs: list[dict[str, str]] = json.loads(self.config.read_bytes())["logs"]
        there = all(Path(log["path"]).exists() for log in logs)
        return there and age > self._pace.config_check + 2 * self._pace.write_interval
