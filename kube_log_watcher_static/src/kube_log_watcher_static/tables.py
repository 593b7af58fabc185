"""Tables that shippers look things up in: one row for each key, parsed again before it is written. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import attrs

from kube_log_watcher_core import AgentError

T = TypeVar("T")


class UnsafeRow(AgentError):
    """A shipper would not read a row as what was meant: it is not written."""


@attrs.frozen
class TableFormat(Generic[T]):
    """How a table is written. A change costs one row: the others are joined as they are.

    Rows don't depend on each other, so that a table of rows that are read as meant is read as meant.
    """

    write: Callable[[str, T], str]
    """Return the row of a key and its value."""
    read: Callable[[str], tuple[str, T]]
    """Return what the shipper finds in a row, independently of `write`."""
    head: str = ""
    between: str = "\n"
    tail: str = "\n"

    def row(self, key: str, value: T) -> str:
        """Return a row that is read as what was meant.

        Raises
        ------
        UnsafeRow
            where it would be read as something else.
        """
        row = self.write(key, value)
        try:
            found = self.read(row)
        except ValueError as error:
            raise UnsafeRow(f"the row of {key!r} can't be read again: {error}") from error
        if found != (key, value):
            raise UnsafeRow(f"the row of {key!r} would be read as something else")
        return row

    def join(self, rows: Iterable[str]) -> str:
        """Return the table of these rows in their order: of sorted ones, the same bytes for the same logs."""
        return f"{self.head}{self.between.join(rows)}{self.tail}"


def _read_json_row(row: str) -> tuple[str, Any]:
    ((key, value),) = json.loads(f"{{{row}}}").items()
    return key, value


JSON_MAP: TableFormat[Any] = TableFormat(
    write=lambda key, value: f"{json.dumps(key)}: {json.dumps(value, sort_keys=True)}",
    read=_read_json_row,
    head="{\n",
    between=",\n",
    tail="\n}\n",
)
"""A JSON object with a member for each key."""


def csv_table(columns: Sequence[str]) -> TableFormat[tuple[str, ...]]:
    """Return the format of a CSV file (RFC 4180): its first line names the columns, the key's first."""

    def write(key: str, values: tuple[str, ...]) -> str:
        return _csv_line((key, *values))

    def read(row: str) -> tuple[str, tuple[str, ...]]:
        ((key, *values),) = csv.reader(io.StringIO(row, newline=""), strict=True)
        if len(values) != len(columns) - 1:
            raise ValueError(f"{len(values) + 1} columns in place of {len(columns)}")
        return key, tuple(values)

    return TableFormat(write=write, read=read, head=_csv_line(columns) + "\n")


def _csv_line(values: Iterable[str]) -> str:
    into = io.StringIO()
    csv.writer(into, quoting=csv.QUOTE_ALL, lineterminator="").writerow(values)
    return into.getvalue()
