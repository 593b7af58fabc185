"""The tail's database: files that the real program has written, and all that may stand in their place."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kube_log_watcher_core import LogFile, Progress
from kube_log_watcher_fluentbit import TailDatabase

DATA = Path(__file__).parents[1] / "data" / "fluentbit"
"""Written by Fluent Bit 5.1.1, which had read two segments; then it was stopped, or killed."""
STEM = f"/node/spool/default_shop-1_uid-1/main-{'a' * 64}"
FIRST, SECOND = (
    LogFile(Path(f"{STEM}.1795576701.log"), 1515541),
    LogFile(Path(f"{STEM}.1795576702.log"), 1515543),
)
NOW = 1000.0


@pytest.fixture(params=["stopped", "killed"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    shutil.copytree(DATA / request.param, tmp_path / "state")
    return tmp_path / "state" / "tail.db"


@pytest.fixture
def database(kept: Path) -> Iterator[TailDatabase]:
    database = TailDatabase(kept, wall=lambda: NOW)
    yield database
    database.close()


def test_what_fluent_bit_has_read_is_told_by_path_and_inode(database: TailDatabase) -> None:
    assert database.progress(FIRST) == Progress(read_bytes=72, at=NOW)
    assert database.progress(SECOND) == Progress(read_bytes=38, at=NOW)


@pytest.mark.parametrize(
    "other",
    [LogFile(FIRST.path, 2), LogFile(SECOND.path, FIRST.inode), LogFile(Path("/x' OR '1'='1"), 1515541)],
    ids=["another inode", "another path", "a hostile path"],
)
def test_of_another_file_nothing_was_read(database: TailDatabase, other: LogFile) -> None:
    assert database.progress(other) == Progress(read_bytes=0, at=NOW)


def test_a_file_of_unknown_inode_is_not_judged(database: TailDatabase) -> None:
    assert database.progress(LogFile(FIRST.path)) is None


def test_a_database_that_does_not_exist_yet_has_read_nothing(tmp_path: Path) -> None:
    assert TailDatabase(tmp_path / "tail.db", wall=lambda: NOW).progress(FIRST) == Progress(0, NOW)
    assert TailDatabase(tmp_path / "missing" / "tail.db").progress(FIRST) is None


def replace_by_text(path: Path) -> None:
    path.write_text("no database at all, but a text that is long enough to be looked at" * 100)


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_by_link(path: Path) -> None:
    path.rename(path.with_name("other"))
    path.symlink_to("other")


def cut_in_half(path: Path) -> None:
    path.with_name("tail.db-wal").unlink(missing_ok=True)
    os.truncate(path, path.stat().st_size // 2)


def drop_the_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE in_tail_files")
    connection.close()


def write_words(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE in_tail_files SET offset = 'all of it'")
    connection.close()


@pytest.mark.parametrize(
    "spoil", [replace_by_text, replace_by_pipe, replace_by_link, cut_in_half, drop_the_table, write_words]
)
def test_what_can_not_be_read_is_unknown_and_told_with_its_path(
    kept: Path, database: TailDatabase, spoil: Callable[[Path], None]
) -> None:
    spoil(kept)
    assert database.progress(FIRST) is None
    assert str(kept) in database.trouble


def test_a_database_that_somebody_locks_is_unknown_until_it_is_free(
    kept: Path, database: TailDatabase
) -> None:
    connection = sqlite3.connect(kept, isolation_level=None)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("BEGIN EXCLUSIVE")
    assert database.progress(FIRST) is None
    assert "locked" in database.trouble
    connection.execute("COMMIT")
    connection.close()
    assert database.progress(FIRST) == Progress(read_bytes=72, at=NOW)
    assert database.trouble == ""


def test_a_negative_offset_and_two_rows_for_one_file_never_claim_too_much(
    kept: Path, database: TailDatabase
) -> None:
    with sqlite3.connect(kept) as connection:
        connection.execute("UPDATE in_tail_files SET offset = -1 WHERE inode = ?", (FIRST.inode,))
        row = (str(SECOND.path), 7, SECOND.inode, 0, 0)
        insert = "INSERT INTO in_tail_files (name, offset, inode, created, rotated) VALUES (?, ?, ?, ?, ?)"
        connection.execute(insert, row)
    connection.close()
    assert database.progress(FIRST) == Progress(read_bytes=0, at=NOW)
    assert database.progress(SECOND) == Progress(read_bytes=7, at=NOW)


def test_another_database_under_the_name_is_read_at_once(kept: Path, database: TailDatabase) -> None:
    assert database.progress(FIRST) == Progress(read_bytes=72, at=NOW)
    for file in kept.parent.iterdir():
        file.unlink()
    assert database.progress(FIRST) == Progress(read_bytes=0, at=NOW)
    with sqlite3.connect(kept) as connection:
        connection.execute("CREATE TABLE in_tail_files (name TEXT, offset INTEGER, inode INTEGER)")
        connection.execute("INSERT INTO in_tail_files VALUES (?, 5, ?)", (str(FIRST.path), FIRST.inode))
    connection.close()
    assert database.progress(FIRST) == Progress(read_bytes=5, at=NOW)


def test_nothing_is_written_to_the_database(kept: Path, database: TailDatabase) -> None:
    before = kept.read_bytes()
    database.progress(FIRST)
    database.close()
    assert kept.read_bytes() == before


def test_without_the_setting_sqlite_is_not_imported() -> None:
    show = "import sys, kube_log_watcher_fluentbit; print('sqlite3' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", show], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "False\n"
