"""The best that can be done by real paths: a configuration that is right at once, and no watcher at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.churn.pods import LivePod, Writer
from kube_log_watcher_core import Layout


class Perfect:
    """Writes ``agent.json`` at the very moment at which a container starts, and never takes an entry away.

    It stands where the watcher's process stands, but it is part of what makes the containers: nothing has
    to be found, no API has to answer, and it can't be killed.

    Parameters
    ----------
    environ
        the watcher's variables, of which it heeds where ``agent.json`` lies and how often it is looked at.
    """

    running = True
    exit_code = None
    log = "what there is, it follows at once"
    """What the lane looks for in a watcher's log."""

    def __init__(self, layout: Layout, *, environ: Mapping[str, str | Path | None]) -> None:
        self._layout = layout
        self.environ = dict(environ)
        self._config = Path(str(environ["WATCHER_SCALYR_CONFIG_PATH"]))
        self._entries: dict[str, dict[str, Any]] = {}

    def start(self) -> None:
        """Write what there is so far."""
        document = {
            "api_key": "perfect",
            "implicit_metric_monitor": False,
            "implicit_agent_process_metrics_monitor": False,
            "config_change_check_interval": float(str(self.environ["WATCHER_SCALYR_CONFIG_CHECK_INTERVAL"])),
            "server_attributes": {},
            "monitors": [],
            "logs": list(self._entries.values()),
        }
        temporary = self._config.with_suffix(".new")
        temporary.write_text(json.dumps(document))
        temporary.replace(self._config)

    def kill(self) -> None:
        """Do nothing: there is no process."""

    def close(self) -> None:
        """Do nothing: there is no process."""

    def changed(self, pod: LivePod) -> None:
        """Write the entries of a pod; none for one that must not be shipped, or not yet."""
        if pod.mask is None or pod.unwanted:
            return
        for writer in pod.writers:
            self._entries[writer.files.id] = self._entry(pod, writer, pod.mask)
        self.start()

    def _entry(self, pod: LivePod, writer: Writer, mask: str) -> dict[str, Any]:
        names = {
            "namespace": pod.facts.namespace,
            "pod": pod.facts.name,
            "container": writer.run.container,
            "container_id": writer.files.id,
        }
        rule = {"match_expression": r"password=\S+", "replacement": f"password={mask}"}
        return {
            "path": str(writer.files.log),
            "copy_from_start": True,
            "attributes": {"parser": "raw", **names, **pod.labels},
            "redaction_rules": [rule],
            **({"parse_format": "cri"} if self._layout is Layout.CRI else {}),
        }
