"""The agent: one dictionary of all containers, which Logstash looks at now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from kube_log_watcher_core import LogTarget, NodeContext
from kube_log_watcher_logstash.positions import parse_sincedb
from kube_log_watcher_logstash.settings import LogstashSettings
from kube_log_watcher_static import (
    JSON_MAP,
    PositionFile,
    TableAgent,
    check_configuration,
    metadata_of,
    to_json,
)

FILE_NAME: Final = "kube-log-watcher.json"
SLACK_SECONDS: Final = 1.0
"""For a scheduler that comes round three times a second, and for a dictionary to be read."""


class LogstashAgent(TableAgent[LogstashSettings, str]):
    """Keeps the dictionary of a ``translate`` filter: each container's document, as text.

    Its documentation promises to take texts as values, and no nested objects.
    """

    settings_class = LogstashSettings

    def __init__(
        self,
        settings: LogstashSettings,
        node: NodeContext,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            settings,
            node,
            path=settings.folder / FILE_NAME,
            table=JSON_MAP,
            uptake_seconds=settings.refresh_interval + SLACK_SECONDS,
            clock=clock,
        )
        if settings.sincedb is not None:
            self.positions = PositionFile(settings.sincedb, parse_sincedb)

    def value(self, target: LogTarget) -> str:
        """Return a container's document, as text."""
        return to_json(metadata_of(target, annotations=self.settings.annotations))

    def check(self) -> None:
        """Look whether folders are there, positions can be read, and the configuration names them."""
        super().check()
        if self.settings.config is not None:
            named = [*self.node.spool_dirs, self.path, self.settings.sincedb]
            check_configuration(self.settings.config, filter(None, named))
