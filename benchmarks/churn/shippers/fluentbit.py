"""Fluent Bit, with the static configuration of its agent's package, and HTTP for its output."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.churn.lines import Line, by_document
from benchmarks.churn.pace import Pace
from benchmarks.churn.shippers.intake import HttpIntake, TakeLines
from benchmarks.churn.shippers.program import Program
from benchmarks.churn.shippers.shipper import Shipper, Supports
from benchmarks.churn.shippers.static import shipped

PROGRAM = os.environ.get("FLUENT_BIT", "")
RETRIES = """\
  scheduler.base: 1
  scheduler.cap: 2
"""
"""Seconds between two tries; by default 5 to 2,000, which would make a run as long."""


class FluentBit(Shipper):
    """The real Fluent Bit."""

    name = "fluentbit"
    supports: ClassVar[Supports] = Supports(stands_kills=False)

    def __init__(self, folder: Path, *, pace: Pace, take_lines: TakeLines) -> None:
        super().__init__(folder, pace=pace, take_lines=take_lines)
        self._metadata, self._state = self.folder / "metadata", self.folder / "state"
        for each in (self._metadata, self._state):
            each.mkdir()
        intake = HttpIntake(read=_line, take_lines=take_lines)
        self.intake = intake
        self._configuration = self.folder / "fluent-bit.yaml"
        self._configuration.write_text(
            shipped(
                "kube_log_watcher_fluentbit",
                instead={
                    "/var/log/kube-log-watcher/spool": self.spool,
                    "/var/log/kube-log-watcher/fluentbit": self._metadata,
                    "/var/lib/fluent-bit": self._state,
                    "  flush: 1\n": f"  flush: 1\n{RETRIES}",
                },
            )
        )
        (self.folder / "output.yaml").write_text(_output(intake.port))
        self.program = Program([PROGRAM, "-c", self._configuration], folder=self.folder)

    @classmethod
    def missing(cls) -> str | None:
        """Return why it can't be run here; None when it can."""
        return None if Path(PROGRAM).is_file() else "FLUENT_BIT does not name it"

    @classmethod
    def version(cls) -> str:
        """Return the program's version."""
        told = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
        return told.splitlines()[0].replace(" v", " ")

    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the settings of the agent `fluentbit`."""
        return {
            "WATCHER_AGENTS": "fluentbit",
            "WATCHER_FLUENTBIT_FOLDER": self._metadata,
            "WATCHER_FLUENTBIT_DATABASE": self._state / "tail.db",
            "WATCHER_FLUENTBIT_CONFIG": self._configuration,
        }


def _output(port: int) -> str:
    """Return the operator's part: where lines go. JSON is YAML."""
    http = {"name": "http", "match": "*", "host": "127.0.0.1", "port": port, "format": "json"}
    return json.dumps({"pipeline": {"outputs": [{**http, "retry_limit": "no_limits"}]}})


def _line(record: Mapping[str, Any]) -> Line | None:
    kubernetes = record.get("kubernetes", {})
    # The Kubernetes filter has a name of its own for it.
    document = {**kubernetes, "container_id": kubernetes.get("docker_id", "")}
    return by_document("", record.get("log", ""), document)
