"""Fluentd, with the static configuration of its agent's package, and HTTP for its output."""

from __future__ import annotations

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

PROGRAM = os.environ.get("FLUENTD", "")

_OUTPUT = """\
<match klw>
  @type http
  endpoint http://127.0.0.1:{port}/
  json_array true
  retryable_response_codes 503
  <format>
    @type json
  </format>
  <buffer>
    @type file
    path {state}/buffer
    flush_interval 1s
    retry_max_interval 2s
    retry_forever true
  </buffer>
</match>
"""


class Fluentd(Shipper):
    """The real Fluentd: a supervisor and its worker."""

    name = "fluentd"
    supports: ClassVar[Supports] = Supports(stands_kills=False)

    def __init__(self, folder: Path, *, pace: Pace, take_lines: TakeLines) -> None:
        super().__init__(folder, pace=pace, take_lines=take_lines)
        self._metadata, self._state = self.folder / "metadata", self.folder / "state"
        for each in (self._metadata, self._state):
            each.mkdir()
        intake = HttpIntake(read=_line, take_lines=take_lines)
        self.intake = intake
        self._configuration = self.folder / "fluent.conf"
        self._configuration.write_text(
            shipped(
                "kube_log_watcher_fluentd",
                instead={
                    "/var/log/kube-log-watcher/spool": self.spool,
                    "/var/log/kube-log-watcher/fluentd": self._metadata,
                    "/var/lib/fluentd": self._state,
                },
            )
        )
        (self.folder / "output.conf").write_text(_OUTPUT.format(port=intake.port, state=self._state))
        self.program = Program([PROGRAM, "-c", self._configuration], folder=self.folder)

    @classmethod
    def missing(cls) -> str | None:
        """Return why it can't be run here; None when it can."""
        return None if Path(PROGRAM).is_file() else "FLUENTD does not name it"

    @classmethod
    def version(cls) -> str:
        """Return the program's version."""
        told = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
        return told.strip().replace("fluentd", "Fluentd")

    def is_up(self) -> bool:
        """Whether its worker runs, which takes seconds."""
        return self.running and "worker is now running" in self.program.latest_output

    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the settings of the agent `fluentd`."""
        return {
            "WATCHER_AGENTS": "fluentd",
            "WATCHER_FLUENTD_FOLDER": self._metadata,
            "WATCHER_FLUENTD_POS_FILE": self._state / "klw.pos",
            "WATCHER_FLUENTD_CONFIG": self._configuration,
        }


def _line(record: Mapping[str, Any]) -> Line | None:
    return by_document(record.get("log_file", ""), record.get("log") or "", record.get("kubernetes"))
