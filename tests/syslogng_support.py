"""The real syslog-ng, on the shipped configuration with other folders."""

from __future__ import annotations

import importlib.resources
import os
import shutil
from pathlib import Path

import pytest

from documents import ROOT
from json_shipper import JsonShipper

UNPACKED = ROOT / ".venv-syslog-ng" / "syslog-ng"
"""Where ``scripts/unpack_syslog_ng.sh .venv-syslog-ng`` puts it: installed, it would take rsyslog's place."""
PROGRAM = Path(os.environ.get("SYSLOG_NG") or shutil.which("syslog-ng") or UNPACKED)
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


class Syslogng(JsonShipper):
    """syslog-ng in the foreground, with all its files below a folder."""

    def __init__(self, root: Path, *, spool: Path) -> None:
        self.folder = root / "syslogng"
        self.config = root / "syslogng-config" / "syslog-ng.conf"
        output, state = root / "shipped.json", root / "syslogng-state"
        self.persist_file = state / "syslog-ng.persist"
        for each in (self.folder, state, self.config.parent):
            each.mkdir(parents=True, exist_ok=True)
        super().__init__(
            command(self.config, pid_file=state / "pid"),
            cwd=state,
            output=output,
            said=root / "syslogng.out",
            pid_file=state / "pid",
        )
        write_configuration(
            self.config, spool=spool, folder=self.folder, output=OUTPUT.format(shipped=output)
        )
