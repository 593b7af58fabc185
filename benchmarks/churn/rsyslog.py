"""rsyslog, with one static configuration over the spool: nothing of it is written for a container."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.churn.pace import Pace
from benchmarks.churn.shipper import STOP_SECONDS, TakeLines
from scalyr_receiver import Line

PROGRAM = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
POLL_SECONDS = 0.05

# Without a queue in memory: what was submitted is written, so that SIGKILL loses nothing of it.
_CONFIGURATION = """\
global(workDirectory="{folder}/work" maxMessageSize="64k")
main_queue(queue.type="Direct")
module(load="imfile" mode="inotify")
template(name="line" type="string" string="%$!metadata!filename% %rawmsg%\\n")
ruleset(name="shipped") {{ action(type="omfile" file="{folder}/shipped" template="line" asyncWriting="off") }}
input(type="imfile" file="{spool}/*/*.log" tag="spool" ruleset="shipped" addMetadata="on"
      persistStateInterval="100" persistStateAfterSubmission="on" freshStartTail="off")
"""
_SHIPPED = re.compile(
    r".*/(?P<namespace>[^/_]+)_(?P<pod>[^/_]+)_[^/_]+"
    r"/(?P<container>[^/]+)-(?P<container_id>[0-9a-f]{64})\.\d+\.log (?P<message>.*)"
)


class Rsyslog:
    """The real rsyslogd, which ships into a file."""

    tells_labels = False
    stands_kills = True

    def __init__(self, folder: Path, *, pace: Pace, take_lines: TakeLines) -> None:
        self._folder = folder / "shipper"
        self._spool = folder / "node" / "spool"
        self._take_lines = take_lines
        self._shipped = self._folder / "shipped"
        self._configuration = self._folder / "rsyslog.conf"
        (self._folder / "work").mkdir(parents=True)
        (folder / "links").mkdir()
        self._links = folder / "links"
        self._shipped.touch()
        self._configuration.write_text(_CONFIGURATION.format(folder=self._folder, spool=self._spool))
        self._process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self.rounds = 0

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._reader.join()

    @property
    def running(self) -> bool:
        """Whether the process is there, be it on its way to stop."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What rsyslog says of itself."""
        return (self._folder / "output").read_text(errors="replace")

    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the settings of an agent that writes nothing that rsyslog reads."""
        return {"WATCHER_AGENTS": "symlinker", "WATCHER_SYMLINK_DIR": self._links}

    def is_configured(self) -> bool:
        """Whether it can start: always, its configuration is the operator's."""
        return True

    def is_settled(self) -> bool:
        """Whether it has taken up the latest configuration: there is only one."""
        return True

    def start(self) -> None:
        """Start it in the foreground."""
        (self._folder / "pid").unlink(missing_ok=True)  # a SIGKILL leaves it
        command = [PROGRAM, "-n", "-f", str(self._configuration), "-i", str(self._folder / "pid")]
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    def ask_to_stop(self) -> None:
        """Send SIGTERM and don't wait."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def _read(self) -> None:
        """Take what is shipped, line by line, and count the looks at it while the process runs as rounds."""
        with self._shipped.open(encoding="utf-8", errors="replace") as shipped:
            rest = ""
            while not self._over.wait(POLL_SECONDS):
                *lines, rest = (rest + shipped.read()).split("\n")
                found = [match for line in lines if (match := _SHIPPED.fullmatch(line))]
                self._take_lines(
                    [Line(message=match["message"], attributes=match.groupdict()) for match in found]
                )
                self.rounds += self.running
