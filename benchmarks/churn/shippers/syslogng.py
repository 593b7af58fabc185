"""syslog-ng, with the configuration that its agent ships."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from benchmarks.churn.lines import Line, by_document
from benchmarks.churn.pace import Pace
from benchmarks.churn.shippers.intake import PipeIntake, TakeLines
from benchmarks.churn.shippers.program import Program
from benchmarks.churn.shippers.shipper import Shipper, Supports
from kube_log_watcher_syslogng.agent import PATTERN_DATABASE
from syslogng_support import PROGRAM, command, write_configuration

_OUTPUT = """\
destination d_klw_output {{ pipe("{pipe}" template(t_klw_json)); }};
"""


class Syslogng(Shipper):
    """The real syslog-ng, whose receiver drains a pipe."""

    name = "syslogng"
    supports: ClassVar[Supports] = Supports(own_fault="log_pipe_queue: assertion failed")

    def __init__(self, folder: Path, *, pace: Pace, take_lines: TakeLines) -> None:
        super().__init__(folder, pace=pace, take_lines=take_lines)
        self._meta = self.folder / "meta"
        self._meta.mkdir()
        pipe = self.folder / "shipped"
        self.intake = PipeIntake(pipe, read=_line, take_lines=take_lines)
        configuration = self.folder / "syslog-ng.conf"
        write_configuration(
            configuration, spool=self.spool, folder=self._meta, output=_OUTPUT.format(pipe=pipe)
        )
        pid_file = self.folder / "pid"
        self.program = Program(
            command(configuration, pid_file=pid_file), folder=self.folder, pid_file=pid_file
        )

    @classmethod
    def missing(cls) -> str | None:
        """Return why it can't be run here; None when it can."""
        return None if PROGRAM.exists() else f"there is no {PROGRAM}, see scripts/unpack_syslog_ng.sh"

    @classmethod
    def version(cls) -> str:
        """Return the program's version."""
        told = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
        return "syslog-ng " + told.split("(")[1].split(")")[0]

    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the settings of the agent of its name."""
        return {
            "WATCHER_AGENTS": "syslogng",
            "WATCHER_SYSLOGNG_FOLDER": self._meta,
            "WATCHER_SYSLOGNG_PERSIST_FILE": self.folder / "syslog-ng.persist",
        }

    def needs_to_start(self) -> Mapping[Path, str]:
        """Return a table without any rule, and what says that it is there."""
        return {self._meta / "table.xml": PATTERN_DATABASE.join([]), self._meta / "present.conf": ""}

    def is_configured(self) -> bool:
        """Whether there is a table, without which it doesn't start."""
        return (self._meta / "present.conf").exists()


def _line(shipped: str) -> Line | None:
    try:
        record = json.loads(shipped)
    except ValueError:  # it was killed while it wrote a line
        return None
    return by_document(record["filename"], record["log"], record["kubernetes"])
