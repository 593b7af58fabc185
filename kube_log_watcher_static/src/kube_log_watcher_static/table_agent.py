"""An agent whose shipper looks everything up in one table."""

from __future__ import annotations

import abc
import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import attrs

from kube_log_watcher_core import File, LogTarget, NodeContext, Objection, Owned
from kube_log_watcher_static.agent import StaticAgent
from kube_log_watcher_static.tables import TableFormat, UnsafeRow
from kube_log_watcher_static.uptake import Uptake

SettingsT = TypeVar("SettingsT")
T = TypeVar("T")


@attrs.frozen
class _Row:
    text: str | None
    objection: Objection | None = None
    """Why there is no text: a shipper would read it as something else."""


class TableAgent(StaticAgent[SettingsT], Generic[SettingsT, T]):
    """Keeps one table, with a row for each log by its container id.

    A change costs one row. A row that would be read as something else is left out, and that log alone waits.

    Parameters
    ----------
    path
        the table, in a folder that is there.
    table
        how rows are written.
    uptake_seconds
        how long the shipper needs at most to take a change up: so long a new log is not shown to it. None
        where it says so itself, as that of an `AcknowledgedTableAgent`.
    clock
        a clock that nobody sets, in seconds.
    """

    def __init__(
        self,
        settings: SettingsT,
        node: NodeContext,
        *,
        path: Path,
        table: TableFormat[T],
        uptake_seconds: float | None = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(settings, node)
        self.path = path
        self.table = table
        """How rows are written."""
        self.rows: dict[str, str] = {}
        """The rows that were rendered last, by their containers' ids."""
        self._content = b""
        self._unsafe: Sequence[Objection] = ()
        self.uptake = Uptake(clock=clock, seconds=uptake_seconds)
        """What the shipper has taken up of it."""

    @abc.abstractmethod
    def value(self, target: LogTarget) -> T:
        """Return what the table says of a log."""

    def render(self, targets: Sequence[LogTarget]) -> Iterable[File]:
        """Return the table."""
        rows = self.each(targets, self._row)
        self._unsafe = [row.objection for row in rows if row.objection is not None]
        texts = zip(targets, (row.text for row in rows), strict=True)
        self.rows = {target.id: text for target, text in texts if text is not None}
        table = File(self.path, self.table.join(self.rows.values()))
        self._content = table.content
        return [table]

    def owned(self) -> Iterable[Owned]:
        """Return the table's name."""
        return [Owned(self.path.parent, re.escape(self.path.name))]

    def prepare(self) -> None:
        """Write an empty table where there is none: a shipper may not start without."""
        if not self.path.exists():
            self.write([File(self.path, self.table.join([]))])

    def sync(self, targets: Sequence[LogTarget]) -> float | None:
        """Write the table, and come again when its shipper has had time for what is new."""
        super().sync(targets)
        # A held log's row has its lines dropped. It is shown again by one that has been taken up since.
        shown = (target.id for target in self.without_held(targets))
        self.uptake.wrote(self.rows.keys() & shown, self._content)
        return self.uptake.seconds_left()

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        """Return those that have been in the table for long enough."""
        return [target for target in super().ready(targets) if self.uptake.has(target.id)]

    def objections(self) -> Iterable[Objection]:
        """Return the logs that are held, also those whose row would be read as something else."""
        yield from super().objections()
        yield from self._unsafe

    def _row(self, target: LogTarget) -> _Row:
        try:
            return _Row(self.table.row(target.id, self.value(target)))
        except UnsafeRow as error:
            remedy = "look for what is odd about the pod's labels and annotations, and report it"
            return _Row(None, Objection(target, "", str(error), remedy, holds=True, until="they are others"))
