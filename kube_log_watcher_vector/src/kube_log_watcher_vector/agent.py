"""The agent: one enrichment table of all containers, which Vector loads anew when it has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from kube_log_watcher_core import LogFile, LogTarget, NodeContext, Progress
from kube_log_watcher_static import (
    PositionFile,
    TableAgent,
    check_configuration,
    csv_table,
    metadata_of,
    to_json,
)
from kube_log_watcher_vector.positions import parse_checkpoints, read_of
from kube_log_watcher_vector.settings import VectorSettings

FILE_NAME: Final = "kube-log-watcher.csv"


class VectorAgent(TableAgent[VectorSettings, tuple[str, ...]]):
    """Keeps the CSV file of an enrichment table: each container's id, and its document as JSON."""

    settings_class = VectorSettings

    def __init__(
        self, settings: VectorSettings, node: NodeContext, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(
            settings,
            node,
            path=settings.folder / FILE_NAME,
            table=csv_table(("container_id", "metadata")),
            uptake_seconds=settings.reload_seconds,
            clock=clock,
        )
        if settings.checkpoints is not None:
            self.positions = PositionFile(settings.checkpoints, parse_checkpoints, find=read_of)

    def value(self, target: LogTarget) -> tuple[str, ...]:
        """Return the columns after the id."""
        return (to_json(metadata_of(target, annotations=self.settings.annotations)),)

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        """Return how far a file is read; None, also, where Vector's fingerprints are not of device and inode.

        Those are what the shipped configuration has, and would keep every segment for ever.
        """
        return None if self.positions is None else self.positions.progress(file)

    def check(self) -> None:
        """Look whether folders are there, positions can be read, and the configuration names them."""
        super().check()
        if self.settings.config is not None:
            check_configuration(self.settings.config, [*self.node.spool_dirs, self.path])
