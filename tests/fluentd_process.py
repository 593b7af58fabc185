"""The real Fluentd, with the configuration that the agent's package brings; what it ships goes to a file.

``FLUENTD`` names the program, which is run with options for its configuration and its log.
"""

from __future__ import annotations

import importlib.resources
import json
import os
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

PROGRAM = os.environ.get("FLUENTD", "")
NEEDS_FLUENTD = pytest.mark.skipif(not PROGRAM, reason="FLUENTD names no Fluentd")
STOP_SECONDS = 30.0
OUTPUT = """
<match klw>
  @type stdout
  <format>
    @type json
  </format>
  <inject>
    time_key shipped_time
    time_type string
    time_format %Y-%m-%dT%H:%M:%S.%NZ
    utc true
  </inject>
</match>
"""


def shipped_configuration() -> str:
    """Give the configuration as the package brings it."""
    return (importlib.resources.files("kube_log_watcher_fluentd") / "static" / "fluent.conf").read_text()


class Fluentd:
    """A Fluentd over a spool; its ``pos_file`` and its log are below ``root``."""

    def __init__(self, root: Path, *, spool: Path, folder: Path) -> None:
        root.mkdir(exist_ok=True)
        self.pos_file = root / "klw.pos"
        self.config = root / "fluent.conf"
        self._log = root / "fluentd.log"
        self.config.write_text(
            shipped_configuration()
            .replace("/var/log/kube-log-watcher/spool", str(spool))
            .replace("/var/log/kube-log-watcher/fluentd", str(folder))
            .replace("/var/lib/fluentd/klw.pos", str(self.pos_file))
        )
        (root / "output.conf").write_text(OUTPUT)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(signal.SIGKILL)

    def start(self) -> None:
        """Start it; its log goes on."""
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "-c", self.config], stdout=log, stderr=log, start_new_session=True
            )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it by a signal: the supervisor, or both it and its worker at once."""
        process, self._process = self._process, None
        if process is None:
            return
        if number is signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        process.wait(STOP_SECONDS)

    @property
    def log(self) -> str:
        """What it says of itself, and has shipped."""
        return self._log.read_text(errors="replace")

    def records(self) -> list[dict[str, Any]]:
        """Give what it has shipped so far; a line that is not whole yet is not shipped."""
        whole = self.log.split("\n")[:-1]
        return [json.loads(line) for line in whole if line.startswith("{")]
