"""Fluent Bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.churn.lines import Line, by_document
from benchmarks.churn.shippers.shipper import Supports
from benchmarks.churn.shippers.static import StaticShipper


class FluentBit(StaticShipper):
    """The real Fluent Bit."""

    name = "fluentbit"
    supports = Supports(stands_kills=False)
    variable = "FLUENT_BIT"
    file_name = "fluent-bit.yaml"
    state_dir = "/var/lib/fluent-bit"
    output_name = "output.yaml"
    # It tries again after 5 to 2,000 s by default.
    in_haste: ClassVar[Mapping[str, str]] = {
        "  flush: 1\n": "  flush: 1\n  scheduler.base: 1\n  scheduler.cap: 2\n"
    }

    def output_to(self, port: int) -> str:
        """Return its output. JSON is YAML."""
        http = {"name": "http", "match": "*", "host": "127.0.0.1", "port": port, "format": "json"}
        return json.dumps({"pipeline": {"outputs": [{**http, "retry_limit": "no_limits"}]}})

    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the settings of the agent `fluentbit`."""
        return {
            "WATCHER_AGENTS": "fluentbit",
            "WATCHER_FLUENTBIT_FOLDER": self.metadata,
            "WATCHER_FLUENTBIT_DATABASE": self.state / "tail.db",
            "WATCHER_FLUENTBIT_CONFIG": self.configuration,
        }

    @staticmethod
    def line(record: Mapping[str, Any]) -> Line | None:
        """Return the line of a record, which doesn't tell its path; the id has another name."""
        kubernetes = record.get("kubernetes", {})
        document = {**kubernetes, "container_id": kubernetes.get("docker_id", "")}
        return by_document("", record.get("log", ""), document)
