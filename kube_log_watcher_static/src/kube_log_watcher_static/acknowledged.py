"""An agent whose shipper says itself when it has loaded the table."""

from __future__ import annotations

import abc
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar, TypeVar

from kube_log_watcher_core import LogTarget, NodeContext, Objection
from kube_log_watcher_static.table_agent import TableAgent
from kube_log_watcher_static.tables import TableFormat

SettingsT = TypeVar("SettingsT")
T = TypeVar("T")

PATIENCE_SECONDS = 10.0
"""So long a log waits for its shipper's word before anybody is told."""


class AcknowledgedTableAgent(TableAgent[SettingsT, T]):
    """Keeps one table, and shows a log when its shipper has said that it has its row.

    `sync` is yours to extend: have the shipper load the table, and hand its word to `Uptake.confirm`. While
    it has not given it, new logs wait; after `PATIENCE_SECONDS` they are objected to, with your `silence`.

    Parameters
    ----------
    path
        the table, in a folder that is there.
    table
        how rows are written.
    clock
        a clock that nobody sets, in seconds.
    """

    awaits_shipper: ClassVar[bool] = True

    def __init__(
        self,
        settings: SettingsT,
        node: NodeContext,
        *,
        path: Path,
        table: TableFormat[T],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(settings, node, path=path, table=table, uptake_seconds=None, clock=clock)
        self.clock = clock
        """A clock that nobody sets, in seconds."""
        self._waiting: Sequence[LogTarget] = ()
        """Logs that nothing holds but the shipper's silence."""

    @abc.abstractmethod
    def silence(self) -> tuple[str, str]:
        """Return why the shipper may not have loaded the table, and the remedy, for people."""

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        """Return the logs whose row the shipper has."""
        free = self.without_held(targets)
        ready = [target for target in free if self.uptake.has(target.id)]
        self._waiting = [target for target in free if not self.uptake.has(target.id)]
        return ready

    def objections(self) -> Iterable[Objection]:
        """Return the logs that are held, also those that have waited long for the shipper's word."""
        yield from super().objections()
        reason, remedy = self.silence()
        for target in self._waiting:
            if self.uptake.written_for(target.id) >= PATIENCE_SECONDS:
                until = "it has loaded the log's row"
                yield Objection(target, "", reason, remedy, holds=True, until=until)
