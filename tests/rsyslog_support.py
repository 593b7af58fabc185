"""The real rsyslogd, on the shipped configuration with other folders."""

from __future__ import annotations

import importlib.resources
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

PROGRAM = Path(shutil.which("rsyslogd") or "/usr/sbin/rsyslogd")
STOP_SECONDS = 30.0

needs_rsyslog = pytest.mark.skipif(not PROGRAM.exists(), reason=f"no rsyslog: there is no {PROGRAM}")


OUTPUT = """\
ruleset(name="klw_output") {{
  action(type="omfile" file="{shipped}" template="klw_json" asyncWriting="off")
}}
"""


def write_configuration(config: Path, *, spool: Path, folder: Path, state_dir: Path, output: str) -> None:
    """Write the shipped configuration with other folders, and ``output.conf`` beside it."""
    text = (importlib.resources.files("kube_log_watcher_rsyslog") / "static" / "rsyslog.conf").read_text()
    for path, other in (
        ("/var/log/kube-log-watcher/spool", spool),
        ("/var/log/kube-log-watcher/rsyslog", folder),
        ("/etc/kube-log-watcher", config.parent),
        ("/var/lib/rsyslog", state_dir),
    ):
        assert path in text
        text = text.replace(f'"{path}', f'"{other}')
    config.write_text(text)
    config.with_name("output.conf").write_text(output)


class Rsyslogd:
    """rsyslogd in the foreground, which ships into a file of JSON lines."""

    def __init__(self, root: Path, *, spool: Path) -> None:
        self.folder = root / "rsyslog"
        self.state_dir = root / "rsyslog-state"
        self.output = root / "shipped.json"
        self.config = root / "rsyslog-config" / "rsyslog.conf"
        self._said = root / "rsyslogd.out"
        self._pid = root / "rsyslogd.pid"
        for each in (self.folder, self.state_dir, self.config.parent):
            each.mkdir(parents=True, exist_ok=True)
        write_configuration(
            self.config,
            spool=spool,
            folder=self.folder,
            state_dir=self.state_dir,
            output=OUTPUT.format(shipped=self.output),
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def running(self) -> bool:
        """Whether the process is there, be it on its way to stop."""
        return self._process is not None and self._process.poll() is None

    @property
    def said(self) -> str:
        """What rsyslog says of itself."""
        return self._said.read_text(errors="replace") if self._said.exists() else ""

    def start(self) -> None:
        """Start it."""
        self._pid.unlink(missing_ok=True)  # a SIGKILL leaves it
        command = [str(PROGRAM), "-n", "-f", str(self.config), "-i", str(self._pid)]
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)

    def ask_to_stop(self) -> None:
        """Send SIGTERM and don't wait."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """Send SIGTERM and wait."""
        self.ask_to_stop()
        if self._process is not None:
            self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Send SIGKILL, and wait."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def shipped(self) -> list[Mapping[str, Any]]:
        """Return what was shipped so far, without a record that is being written."""
        if not self.output.exists():
            return []
        *lines, _unfinished = self.output.read_text("utf-8", "surrogateescape").split("\n")
        return [json.loads(line) for line in lines]

    def messages(self) -> list[str]:
        """Return the logs' lines that were shipped, as the runtime wrote them."""
        return [record["log"] for record in self.shipped()]
