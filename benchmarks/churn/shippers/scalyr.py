"""The Scalyr agent, configured by the watcher's agent of its name."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from benchmarks.churn.ledger import Redaction
from benchmarks.churn.lines import Line
from benchmarks.churn.pace import Pace
from benchmarks.churn.pods import DECODED
from benchmarks.churn.shippers.intake import TakeLines
from benchmarks.churn.shippers.program import Program
from benchmarks.churn.shippers.shipper import Shipper, Supports
from scalyr_receiver import Receiver

PYTHON = Path(
    os.environ.get("SCALYR_AGENT_PYTHON", Path(__file__).parents[3] / ".venv-scalyr" / "bin" / "python")
)
"""A Python that the Scalyr agent is installed for."""


class ScalyrIntake(Receiver):
    """A receiver that keeps no lines but hands them on, and counts how often it was asked."""

    def __init__(self, take_lines: TakeLines) -> None:
        super().__init__()
        self._take_lines = take_lines
        self.requests = 0
        """Requests so far: the Scalyr agent sends one at each round over its files, empty or not."""

    def take(self, body: bytes) -> None:
        """Hand on the lines of one request."""
        super().take(body)
        with self._lock:
            lines, self._lines = self._lines, []
            self.requests += 1
        self._take_lines([Line(line.message, line.attributes) for line in lines])


class ScalyrAgent(Program):
    """The program, on a configuration file that is used as it was written.

    Parameters
    ----------
    config
        ``agent.json``.
    folder
        for its own log and its checkpoints, which outlive a restart.
    environ
        further variables. A variable counts only where the file sets nothing.
    """

    def __init__(
        self, config: Path, *, server: str, folder: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.data = folder / "data"
        self._log = folder / "log"
        for each in (self.data, self._log):
            each.mkdir(parents=True)
        options = ("start", "--no-fork", "--no-change-user", "-c", config)
        super().__init__(
            [PYTHON, "-m", "scalyr_agent.agent_main", *options],
            folder=folder,
            environ={
                "SCALYR_SERVER": server,
                "SCALYR_ALLOW_HTTP": "true",
                "SCALYR_AGENT_LOG_PATH": str(self._log),
                "SCALYR_AGENT_DATA_PATH": str(self.data),
                **(environ or {}),
            },
        )

    @property
    def output(self) -> str:
        """What the Scalyr agent says of itself: it has a log of its own."""
        file = self._log / "agent.log"
        return file.read_text(errors="replace") if file.exists() else super().output


class Scalyr(Shipper):
    """The real agent, on the ``agent.json`` that the watcher wrote."""

    name = "scalyr"
    supports: ClassVar[Supports] = Supports(
        redaction=Redaction.APPLIED, real_paths=True, stands_kills=False, tries_again=30.0
    )

    def __init__(self, folder: Path, *, pace: Pace, take_lines: TakeLines) -> None:
        super().__init__(folder, pace=pace, take_lines=take_lines)
        self.intake: ScalyrIntake = ScalyrIntake(take_lines)
        self.config = folder / "config" / "agent.json"
        self._links = folder / "links"
        for each in (self.config.parent, self._links):
            each.mkdir()
        self.program: ScalyrAgent = ScalyrAgent(
            self.config, server=self.intake.url, folder=self.folder, environ=pace.shipper_environ()
        )

    @classmethod
    def missing(cls) -> str | None:
        """Return why it can't be run here; None when it can."""
        return None if PYTHON.exists() else f"SCALYR_AGENT_PYTHON names no Python, nor is {PYTHON} there"

    @classmethod
    def version(cls) -> str:
        """Return the program's version."""
        told = "from scalyr_agent.__scalyr__ import SCALYR_VERSION; print(SCALYR_VERSION)"
        version = subprocess.run([PYTHON, "-c", told], capture_output=True, text=True, check=True).stdout
        return f"Scalyr agent {version.strip()}"

    @property
    def rounds(self) -> int:
        """How many requests it has sent: one at each round over its files, empty or not."""
        return self.intake.requests

    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the settings of the agent `scalyr`."""
        pace = self.pace
        return {
            "WATCHER_AGENTS": "scalyr",
            "WATCHER_LABELS_AS_ATTRIBUTES": "churn-pod",
            "WATCHER_SCALYR_API_KEY": "churn",
            "WATCHER_SCALYR_CONFIG_PATH": self.config,
            "WATCHER_SCALYR_DEST_PATH": self._links,
            "WATCHER_SCALYR_DATA_PATH": self.program.data,
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
        return there and age > self.pace.config_check + 2 * self.pace.write_interval
