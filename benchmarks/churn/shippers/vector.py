"""Vector. Untried: there was no Vector where this was written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.churn.lines import Line, by_document
from benchmarks.churn.shippers.shipper import Supports
from benchmarks.churn.shippers.static import StaticShipper


class Vector(StaticShipper):
    """The real Vector. It gives no account that counts, so that segments go by time."""

    name = "vector"
    supports = Supports(stands_kills=False)
    variable = "VECTOR"
    file_name = "vector.yaml"
    state_dir = "/var/lib/vector"
    output_name = "output.yaml"

    def output_to(self, port: int) -> str:
        """Return its output, with a buffer on disk. JSON is YAML."""
        sink = {
            "type": "http",
            "inputs": ["klw_labelled"],
            "uri": f"http://127.0.0.1:{port}/",
            "encoding": {"codec": "json"},
            "batch": {"timeout_secs": 1},
            "request": {"retry_max_duration_secs": 2},
            "acknowledgements": {"enabled": True},
            "buffer": {"type": "disk", "max_size": 268435488, "when_full": "block"},
        }
        return json.dumps({"sinks": {"churn": sink}})

    def options(self) -> Sequence[str | Path]:
        """Return both files, and that the table is to be watched."""
        return ["--watch-config", "--config", self.configuration, "--config", self.output]

    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the settings of the agent `vector`."""
        return {
            "WATCHER_AGENTS": "vector",
            "WATCHER_VECTOR_FOLDER": self.metadata,
            "WATCHER_VECTOR_CONFIG": self.configuration,
            "WATCHER_SPOOL_SECONDS": "300",
        }

    def needs_to_start(self) -> Mapping[Path, str]:
        """Return the table."""
        return {self.metadata / "kube-log-watcher.csv": '"container_id","metadata"\n'}

    def is_configured(self) -> bool:
        """Whether there is a table, without which it doesn't start."""
        return (self.metadata / "kube-log-watcher.csv").exists()

    @staticmethod
    def line(record: Mapping[str, Any]) -> Line | None:
        """Return the line of a record."""
        return by_document(record.get("file", ""), record.get("message", ""), record.get("kubernetes"))
