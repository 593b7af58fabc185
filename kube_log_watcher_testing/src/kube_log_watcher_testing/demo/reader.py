"""A shipper of the demo's own, whose account decides when a file may go: it has read nothing, or everything.

The demo has the watcher load it as it loads anybody's file with an agent (``extra_agent``).
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core import PATH, BaseAgent, LogFile, LogTarget, Progress, setting


@attrs.frozen
class ReaderSettings:
    """Where its shipper says that it has read everything."""

    account: Path = setting(PATH, help="a file that is there once everything is read")


class ReaderAgent(BaseAgent[ReaderSettings]):
    """Tells nobody anything."""

    name = "reader"
    settings_class = ReaderSettings

    def sync(self, targets: Sequence[LogTarget]) -> None:
        """Need no configuration."""

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        """Return the whole file once everything is read, and nothing of it before."""
        has_read = self.settings.account.exists()
        return Progress(read_bytes=os.stat(file.path).st_size if has_read else 0, at=time.time())
