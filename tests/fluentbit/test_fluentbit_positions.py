"""The tail's database keeps the contract of positions."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from kube_log_watcher_core import LogFile
from kube_log_watcher_fluentbit import TailDatabase
from kube_log_watcher_testing import MakeReader, PositionContract


class TestTailDatabase(PositionContract):
    """As Fluent Bit 5.1.1 makes it, with a write-ahead log."""

    @pytest.fixture
    def make_reader(self) -> MakeReader:
        return lambda place: TailDatabase(place).progress

    def note(self, place: Path, offsets: Mapping[LogFile, int]) -> None:
        connection = sqlite3.connect(place)
        with connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS in_tail_files (id INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                "offset INTEGER, inode INTEGER, created INTEGER, rotated INTEGER DEFAULT 0)"
            )
            connection.execute("DELETE FROM in_tail_files")
            connection.executemany(
                "INSERT INTO in_tail_files (name, offset, inode) VALUES (?, ?, ?)",
                [(str(file.path), read, file.inode) for file, read in offsets.items()],
            )
        connection.close()
