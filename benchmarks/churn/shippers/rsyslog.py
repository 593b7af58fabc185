"""rsyslog, with the configuration that its agent ships.

The example for lanes: what a shipper is given, what it supports, and where its lines arrive is on this page.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from benchmarks.churn.lines import Line, by_document
from benchmarks.churn.pace import Pace
from benchmarks.churn.shippers.intake import ConfirmingIntake, TakeLines
from benchmarks.churn.shippers.program import Program
from benchmarks.churn.shippers.shipper import Shipper, Supports
from kube_log_watcher_rsyslog.agent import LOOKUP_TABLE
from rsyslog_support import PROGRAM, write_configuration

# A pipe loses a line where it is full (`ompipe`), and plain TCP what is on its way: here each is confirmed.
_OUTPUT = """\
module(load="omprog")
ruleset(name="klw_output") {{
  action(type="omprog" binary="{confirmer}" confirmMessages="on" template="klw_json"
         action.resumeRetryCount="-1" action.resumeInterval="1")
}}
"""


class Rsyslog(Shipper):
    """The real rsyslogd, whose receiver confirms each line."""

    name = "rsyslog"
    supports: ClassVar[Supports] = Supports(repeats=10)

    def __init__(self, folder: Path, *, pace: Pace, take_lines: TakeLines) -> None:
        super().__init__(folder, pace=pace, take_lines=take_lines)
        self._meta, self._state = self.folder / "meta", self.folder / "state"
        for each in (self._meta, self._state):
            each.mkdir()
        intake = ConfirmingIntake(self.folder / "shipped", read=_line, take_lines=take_lines)
        self.intake = intake
        configuration = self.folder / "rsyslog.conf"
        write_configuration(
            configuration,
            spool=self.spool,
            folder=self._meta,
            state_dir=self._state,
            output=_OUTPUT.format(confirmer=" ".join(intake.program)),
        )
        pid_file = self.folder / "pid"
        self.program = Program(
            [PROGRAM, "-n", "-f", configuration, "-i", pid_file], folder=self.folder, pid_file=pid_file
        )

    @classmethod
    def missing(cls) -> str | None:
        """Return why it can't be run here; None when it can."""
        return None if PROGRAM.exists() else f"there is no {PROGRAM}"

    @classmethod
    def version(cls) -> str:
        """Return the program's version."""
        told = subprocess.run([PROGRAM, "-v"], capture_output=True, text=True, check=True).stdout
        return "rsyslog " + told.split()[1]

    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the settings of the agent of its name."""
        return {
            "WATCHER_AGENTS": "rsyslog",
            "WATCHER_RSYSLOG_FOLDER": self._meta,
            "WATCHER_RSYSLOG_STATE_DIR": self._state,
        }

    def needs_to_start(self) -> Mapping[Path, str]:
        """Return a table without any row."""
        return {self._meta / "table.json": LOOKUP_TABLE.join([])}

    def is_configured(self) -> bool:
        """Whether there is a table, without which it doesn't start."""
        return (self._meta / "table.json").exists()


def _line(shipped: str) -> Line | None:
    record = json.loads(shipped)
    return by_document(record["metadata"]["filename"], record["log"], record["kubernetes"])
