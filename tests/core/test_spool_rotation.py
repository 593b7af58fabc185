"""Which of a log's files are not spooled yet, and in which order they were written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from kube_log_watcher_core.spool.rotation import files_of, rotated_before, unspooled

CRI = [
    ("1.log", 30),
    ("0.log", 9),
    ("0.log.20261124-120000", 7),
    ("0.log.20261124-115500.gz", 4),
    ("0.log.20261124-120500", 8),
    ("0.log.20261124-115500.tmp", 5),
    ("0.log.bak", 6),
]
DOCKER = [
    ("i-json.log", 9),
    ("i-json.log.1", 8),
    ("i-json.log.10", 1),
    ("i-json.log.2", 7),
    ("config.v2.json", 2),
]


def names(files: Sequence[object]) -> list[str]:
    return [file.name for file in files]  # type: ignore[attr-defined]


def test_the_kubelets_files_are_ordered_by_the_time_in_their_names_and_the_live_one_is_last() -> None:
    assert names(files_of("0.log", CRI)) == [
        "0.log.20261124-115500.gz",
        "0.log.20261124-120000",
        "0.log.20261124-120500",
        "0.log",
    ]


def test_dockers_files_are_ordered_by_their_numbers_the_highest_first() -> None:
    assert names(files_of("i-json.log", DOCKER)) == [
        "i-json.log.10",
        "i-json.log.2",
        "i-json.log.1",
        "i-json.log",
    ]


def test_all_that_can_be_read_is_new_for_a_log_that_was_never_spooled() -> None:
    new = unspooled(files_of("0.log", CRI), set())
    assert names(new.files) == ["0.log.20261124-120000", "0.log.20261124-120500", "0.log"]
    assert new.compressed == ()


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({9}, []),
        ({7, 9}, []),
        ({8}, ["0.log"]),
        ({7}, ["0.log.20261124-120500", "0.log"]),
    ],
)
def test_only_what_came_after_the_newest_that_is_held_is_new(held: set[int], expected: list[str]) -> None:
    assert names(unspooled(files_of("0.log", CRI), held).files) == expected


def test_a_log_that_went_on_twice_while_nobody_looked_gives_both_files_and_names_what_was_compressed() -> (
    None
):
    files = files_of(
        "0.log",
        [
            ("0.log", 9),
            ("0.log.20261124-110000.gz", 2),
            ("0.log.20261124-120000.gz", 3),
            ("0.log.20261124-120500.gz", 4),
            ("0.log.20261124-121000", 8),
        ],
    )
    new = unspooled(files, {77}, seen={"0.log.20261124-110000"})
    assert names(new.files) == ["0.log.20261124-121000", "0.log"]
    # The one of 12:00 is the file that was live at the last look: the spool holds it.
    assert names(new.compressed) == ["0.log.20261124-120500.gz"]


def test_what_was_read_and_let_go_of_is_not_linked_again_when_the_held_file_is_compressed() -> None:
    files = files_of("0.log", [("0.log", 9), ("0.log.20261124-110000", 2), ("0.log.20261124-120000.gz", 3)])
    new = unspooled(files, {77}, earlier={2}, seen={"0.log.20261124-110000"})
    assert names(new.files) == ["0.log"]
    assert new.compressed == ()


def test_what_docker_has_moved_on_under_the_same_names_is_new_where_it_was_written_later() -> None:
    files = files_of("i-json.log", [("i-json.log", 9), ("i-json.log.1", 8), ("i-json.log.2", 7)])
    new = unspooled(files, {77}, earlier={7}, seen={"i-json.log.1", "i-json.log.2"})
    assert names(new.files) == ["i-json.log.1", "i-json.log"]


def test_what_was_rotated_before_a_file_was_written_to_was_seen_by_an_earlier_process() -> None:
    files = files_of(
        "0.log",
        [("0.log.20261124-110000.gz", 2), ("0.log.20261124-120000.gz", 3), ("0.log.20261124-121000", 4)],
    )
    written = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC).timestamp()
    assert rotated_before(files, written) == {"0.log.20261124-110000"}
    assert rotated_before(files_of("i-json.log", DOCKER[1:4]), written) == {
        "i-json.log.1",
        "i-json.log.10",
        "i-json.log.2",
    }
