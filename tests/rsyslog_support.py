"""The real rsyslogd, on the shipped configuration with other folders."""

from __future__ import annotations

import importlib.resources
import shutil
from pathlib import Path

import pytest

from json_shipper import JsonShipper

PROGRAM = Path(shutil.which("rsyslogd") or "/usr/sbin/rsyslogd")

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


class Rsyslogd(JsonShipper):
    """rsyslogd in the foreground, with all its files below a folder."""

    def __init__(self, root: Path, *, spool: Path) -> None:
        self.folder = root / "rsyslog"
        self.state_dir = root / "rsyslog-state"
        self.config = root / "rsyslog-config" / "rsyslog.conf"
        output, pid_file = root / "shipped.json", root / "rsyslogd.pid"
        for each in (self.folder, self.state_dir, self.config.parent):
            each.mkdir(parents=True, exist_ok=True)
        super().__init__(
            [PROGRAM, "-n", "-f", self.config, "-i", pid_file],
            cwd=root,
            output=output,
            said=root / "rsyslogd.out",
            pid_file=pid_file,
        )
        write_configuration(
            self.config,
            spool=spool,
            folder=self.folder,
            state_dir=self.state_dir,
            output=OUTPUT.format(shipped=output),
        )
