"""rsyslog, with one static configuration over the spool: nothing of it is written for a container.

The example for lanes: what a shipper is given, what it supports, and where its lines arrive is on this page.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from benchmarks.churn.ledger import Redaction
from benchmarks.churn.lines import Line, by_path
from benchmarks.churn.pace import Pace
from benchmarks.churn.shippers.intake import ConfirmingIntake, TakeLines
from benchmarks.churn.shippers.program import Program
from benchmarks.churn.shippers.shipper import Shipper, Supports

PROGRAM = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"

# Without a queue in memory: what was submitted has arrived, so that SIGKILL loses nothing of it. A pipe loses
# a line where it is full (`ompipe`), and plain TCP what is on its way: the receiver confirms each line.
_CONFIGURATION = """\
global(workDirectory="{folder}/work" maxMessageSize="64k")
main_queue(queue.type="Direct")
module(load="imfile" mode="inotify")
module(load="omprog")
template(name="line" type="string" string="%$!metadata!filename% %rawmsg%\\n")
ruleset(name="shipped") {{
  action(type="omprog" binary="{confirmer}" confirmMessages="on" template="line"
         action.resumeRetryCount="-1" action.resumeInterval="1")
}}
input(type="imfile" file="{spool}/*/*.log" tag="spool" ruleset="shipped" addMetadata="on"
      persistStateInterval="100" persistStateAfterSubmission="on" freshStartTail="off")
"""


class Rsyslog(Shipper):
    """The real rsyslogd, whose receiver confirms each line."""

    name = "rsyslog"
    supports: ClassVar[Supports] = Supports(labels=False, redaction=Redaction.UNKNOWN)

    def __init__(self, folder: Path, *, pace: Pace, take_lines: TakeLines) -> None:
        super().__init__(folder, pace=pace, take_lines=take_lines)
        (self.folder / "work").mkdir()
        self._links = folder / "links"
        self._links.mkdir()
        intake = ConfirmingIntake(self.folder / "shipped", read=_line, take_lines=take_lines)
        self.intake = intake
        configuration = self.folder / "rsyslog.conf"
        confirmer = " ".join(intake.program)
        configuration.write_text(
            _CONFIGURATION.format(folder=self.folder, spool=self.spool, confirmer=confirmer)
        )
        pid_file = self.folder / "pid"
        self.program = Program(
            [PROGRAM, "-n", "-f", configuration, "-i", pid_file], folder=self.folder, pid_file=pid_file
        )

    @classmethod
    def missing(cls) -> str | None:
        """Return why it can't be run here; None when it can."""
        return None if Path(PROGRAM).exists() else f"there is no {PROGRAM}"

    @classmethod
    def version(cls) -> str:
        """Return the program's version."""
        told = subprocess.run([PROGRAM, "-v"], capture_output=True, text=True, check=True).stdout
        return "rsyslog " + told.split()[1]

    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the settings of an agent that writes nothing that rsyslog reads."""
        return {"WATCHER_AGENTS": "symlinker", "WATCHER_SYMLINK_DIR": self._links}


def _line(shipped: str) -> Line | None:
    path, _, message = shipped.partition(" ")
    return by_path(path, message)
