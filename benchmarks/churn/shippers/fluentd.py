"""Fluentd."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.churn.lines import Line, by_document
from benchmarks.churn.shippers.shipper import Supports
from benchmarks.churn.shippers.static import StaticShipper


class Fluentd(StaticShipper):
    """The real Fluentd: a supervisor and its worker."""

    name = "fluentd"
    supports = Supports(stands_kills=False)
    variable = "FLUENTD"
    file_name = "fluent.conf"
    state_dir = "/var/lib/fluentd"
    output_name = "output.conf"

    def output_to(self, port: int) -> str:
        """Return its output, with a buffer on disk."""
        return f"""\
<match klw>
  @type http
  endpoint http://127.0.0.1:{port}/
  json_array true
  retryable_response_codes 503
  <format>
    @type json
  </format>
  <buffer>
    @type file
    path {self.state}/buffer
    flush_interval 1s
    retry_max_interval 2s
    retry_forever true
  </buffer>
</match>
"""

    def is_up(self) -> bool:
        """Whether its worker runs, which takes seconds."""
        return self.running and "worker is now running" in self.program.latest_output

    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the settings of the agent `fluentd`."""
        return {
            "WATCHER_AGENTS": "fluentd",
            "WATCHER_FLUENTD_FOLDER": self.metadata,
            "WATCHER_FLUENTD_POS_FILE": self.state / "klw.pos",
            "WATCHER_FLUENTD_CONFIG": self.configuration,
        }

    @staticmethod
    def line(record: Mapping[str, Any]) -> Line | None:
        """Return the line of a record."""
        return by_document(record.get("log_file", ""), record.get("log") or "", record.get("kubernetes"))
