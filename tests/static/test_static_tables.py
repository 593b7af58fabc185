"""Tables: each row is read as what was meant, whatever a pod's author wrote, or is not written."""

from __future__ import annotations

import csv
import io
import json

import pytest

from kube_log_watcher_static import JSON_MAP, TableFormat, UnsafeRow, csv_table, metadata_of, to_json
from kube_log_watcher_testing import hostile
from kube_log_watcher_testing.factories import container_id, make_container, make_target

COLUMNS = ("container_id", "metadata")


@pytest.mark.parametrize("text", hostile.TEXTS, ids=hostile.shown)
def test_a_hostile_label_stays_text_in_a_json_map(text: str) -> None:
    documents = {
        container_id(number): metadata_of(make_target(make_container(number), labels={"application": text}))
        for number in (1, 2)
    }
    table = JSON_MAP.join(JSON_MAP.row(key, documents[key]) for key in sorted(documents))
    assert json.loads(table) == documents


@pytest.mark.parametrize("text", hostile.TEXTS, ids=hostile.shown)
def test_a_hostile_label_stays_text_in_a_csv_table(text: str) -> None:
    table = csv_table(COLUMNS)
    rows = {
        container_id(number): (to_json(metadata_of(make_target(labels={text: text}))),) for number in (1, 2)
    }
    written = table.join(table.row(key, rows[key]) for key in sorted(rows))
    head, *found = csv.reader(io.StringIO(written, newline=""), strict=True)
    assert tuple(head) == COLUMNS
    assert {key: (document,) for key, document in found} == rows


def test_a_row_that_would_be_read_as_something_else_is_not_written() -> None:
    careless: TableFormat[str] = TableFormat(
        write=lambda key, value: f"{key}={value}",
        read=lambda row: tuple(row.split("=", 1)),  # type: ignore[return-value,arg-type]
    )
    with pytest.raises(UnsafeRow, match="'a=b' would be read as something else"):
        careless.row("a=b", "c")


def test_a_row_that_cannot_be_read_again_is_not_written() -> None:
    broken: TableFormat[str] = TableFormat(write=lambda *_: "{", read=json.loads)
    with pytest.raises(UnsafeRow, match="can't be read again"):
        broken.row("key", "value")


def test_a_row_with_a_column_too_many_is_not_written() -> None:
    with pytest.raises(UnsafeRow, match="3 columns in place of 2"):
        csv_table(COLUMNS).row("key", ("one", "two"))


def test_a_table_without_rows_can_be_read() -> None:
    assert json.loads(JSON_MAP.join([])) == {}
    assert list(csv.reader(io.StringIO(csv_table(COLUMNS).join([])))) == [list(COLUMNS), []]
