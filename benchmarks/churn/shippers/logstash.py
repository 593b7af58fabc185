"""Logstash. Untried: there was no Logstash where this was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.churn.lines import Line, by_document
from benchmarks.churn.shippers.shipper import Supports
from benchmarks.churn.shippers.static import StaticShipper


class Logstash(StaticShipper):
    """The real Logstash."""

    name = "logstash"
    supports = Supports(stands_kills=False)
    variable = "LOGSTASH"
    file_name = "logstash.conf"
    state_dir = "/var/lib/logstash"
    output_name = "output.conf"

    def output_to(self, port: int) -> str:
        """Return its output; what is in its queue is lost with it, unless it is told to keep that on disk."""
        (self.state / "logstash.yml").write_text("queue.type: persisted\n")
        return f"""\
output {{
  http {{
    url => "http://127.0.0.1:{port}/"
    http_method => "post"
    format => "json_batch"
    retryable_codes => [503]
    automatic_retries => 1
  }}
}}
"""

    def options(self) -> Sequence[str | Path]:
        """Return both files, its settings, and where it keeps its own."""
        both = f"{self.folder}/*.conf"
        return ["-f", both, "--path.settings", self.state, "--path.data", self.state / "data"]

    def is_up(self) -> bool:
        """Whether its pipeline runs, which takes a minute."""
        return self.running and "Pipeline started" in self.program.latest_output

    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the settings of the agent `logstash`."""
        return {
            "WATCHER_AGENTS": "logstash",
            "WATCHER_LOGSTASH_FOLDER": self.metadata,
            "WATCHER_LOGSTASH_SINCEDB": self.state / "klw.sincedb",
            "WATCHER_LOGSTASH_CONFIG": self.configuration,
        }

    @staticmethod
    def line(record: Mapping[str, Any]) -> Line | None:
        """Return the line of a record."""
        path = record.get("log", {}).get("file", {}).get("path", "")
        return by_document(path, record.get("message", ""), record.get("kubernetes"))
