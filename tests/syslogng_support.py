"""The real syslog-ng, on the shipped configuration with other folders."""

from __future__ import annotations

import importlib.resources
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from documents import ROOT

UNPACKED = ROOT / ".venv-syslog-ng" / "syslog-ng"
"""Where ``scripts/unpack_syslog_ng.sh .venv-syslog-ng`` puts it: installed, it would take rsyslog's place."""
PROGRAM = Path(os.environ.get("SYSLOG_NG") or shutil.which("syslog-ng") or UNPACKED)
STOP_SECONDS = 30.0
OUTPUT = """\
destination d_klw_output {{ file("{shipped}" template(t_klw_json)); }};
"""

needs_syslogng = pytest.mark.skipif(
    not PROGRAM.exists(), reason=f"no syslog-ng: SYSLOG_NG names none, nor is there {PROGRAM}"
)


def write_configuration(config: Path, *, spool: Path, folder: Path, output: str) -> None:
    """Write the shipped configuration with other folders, and ``output.conf`` beside it."""
    text = (importlib.resources.files("kube_log_watcher_syslogng") / "static" / "syslog-ng.conf").read_text()
    for path, other in (
        ("/var/log/kube-log-watcher/spool", spool),
        ("/var/log/kube-log-watcher/syslogng", folder),
        ("/etc/kube-log-watcher", config.parent),
    ):
        assert path in text
        text = text.replace(f'"{path}', f'"{other}')
    config.write_text(text)
    config.with_name("output.conf").write_text(output)


def command(config: Path, *, pid_file: Path) -> list[str]:
    """Return how syslog-ng is started in the foreground, with its own files in its working directory.

    The address of a socket has 107 bytes at most: by a whole path it would be too long here.
    """
    return [
        str(PROGRAM),
        "--foreground",
        "--no-caps",
        f"--cfgfile={config}",
        "--persist-file=syslog-ng.persist",
        "--control=syslog-ng.ctl",
        f"--pidfile={pid_file}",
    ]


class Syslogng:
    """syslog-ng in the foreground, which ships into a file of JSON lines."""

    def __init__(self, root: Path, *, spool: Path) -> None:
        self.folder = root / "syslogng"
        self.state = root / "syslogng-state"
        self.output = root / "shipped.json"
        self.config = root / "syslogng-config" / "syslog-ng.conf"
        self.persist_file = self.state / "syslog-ng.persist"
        self._said = root / "syslogng.out"
        for each in (self.folder, self.state, self.config.parent):
            each.mkdir(parents=True, exist_ok=True)
        output = OUTPUT.format(shipped=self.output)
        write_configuration(self.config, spool=spool, folder=self.folder, output=output)
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
        """What syslog-ng says of itself."""
        return self._said.read_text(errors="replace") if self._said.exists() else ""

    def start(self) -> None:
        """Start it."""
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                command(self.config, pid_file=self.state / "pid"),
                cwd=self.state,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> None:
        """Send SIGTERM and wait."""
        if self._process is not None:
            self._process.terminate()
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
