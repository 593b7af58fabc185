"""The contract of readers of positions, for good and broken ones: run by name, some are meant to fail."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from kube_log_watcher_core import LogFile, Progress
from kube_log_watcher_testing import MakeReader, PositionContract

MOST_BYTES = 1_000_000


class Reader:
    """A good one: rows of path, inode and offset, as JSON."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def content(self) -> str:
        if not self.place.is_file() or self.place.stat().st_size > MOST_BYTES:
            raise OSError("no file of a sensible size")
        return self.place.read_text()

    def is_it(self, row: tuple[str, int, int], file: LogFile) -> bool:
        return (row[0], row[1]) == (str(file.path), file.inode)

    def __call__(self, file: LogFile) -> Progress | None:
        try:
            rows = json.loads(self.content())
            read = [row[2] for row in rows if self.is_it(row, file)]
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        return Progress(read_bytes=min(read, default=0), at=1.5)


class Blind(Reader):
    """Never knows anything."""

    def __call__(self, file: LogFile) -> Progress | None:
        return None


class Hopeful(Reader):
    """Takes a file without a note for read."""

    def __call__(self, file: LogFile) -> Progress | None:
        said = super().__call__(file)
        return said if said is not None and said.read_bytes else Progress(read_bytes=1, at=1.5)


class ByPath(Reader):
    """Takes a path for a file."""

    def is_it(self, row: tuple[str, int, int], file: LogFile) -> bool:
        return row[0] == str(file.path)


class ByInode(Reader):
    """Takes an inode for a file."""

    def is_it(self, row: tuple[str, int, int], file: LogFile) -> bool:
        return row[1] == file.inode


class Stubborn(Reader):
    """Goes on with what it saw last."""

    last: Progress | None = None

    def __call__(self, file: LogFile) -> Progress | None:
        self.last = super().__call__(file) or self.last
        return self.last


class Fragile(Reader):
    """Raises what its parser raises."""

    def __call__(self, file: LogFile) -> Progress | None:
        read = [row[2] for row in json.loads(self.content()) if self.is_it(row, file)]
        return Progress(read_bytes=min(read, default=0), at=1.5)


class Guessing(Reader):
    """Takes what is cut off for all of it."""

    def __call__(self, file: LogFile) -> Progress | None:
        said = super().__call__(file)
        return Progress(read_bytes=10**9, at=1.5) if said is None and self.place.exists() else said


class Greedy(Reader):
    """Reads whatever there is."""

    def content(self) -> str:
        if not self.place.is_file():
            raise OSError("no file")
        return self.place.read_bytes().decode(errors="replace")


class Patient(Reader):
    """Opens whatever there is."""

    def content(self) -> str:
        if self.place.exists() and self.place.stat().st_size > MOST_BYTES:
            raise OSError("no file of a sensible size")
        return self.place.read_text()


class Contract(PositionContract):
    """For readers of rows."""

    reader_class: ClassVar[type[Reader]] = Reader

    @pytest.fixture
    def make_reader(self) -> MakeReader:
        return self.reader_class

    def note(self, place: Path, offsets: Mapping[LogFile, int]) -> None:
        place.write_text(json.dumps([[str(file.path), file.inode, read] for file, read in offsets.items()]))


class TestReader(Contract):
    """It passes."""


class TestByPathAsDeclared(Contract):
    """It passes: its shipper has no inodes."""

    reader_class = ByPath
    no_inodes = "it notes paths"


class TestFalselyWithoutInodes(Contract):
    """It says that its shipper has no inodes, and it has."""

    no_inodes = "it is said so"


class TestWithoutFixture(PositionContract):
    """An author has not said how the reader is made."""


class TestWithoutNote(Contract):
    """An author has not said how the shipper writes."""

    def note(self, place: Path, offsets: Mapping[LogFile, int]) -> None:
        PositionContract.note(self, place, offsets)


def _contract(reader_class: type[Reader]) -> type[Contract]:
    return type(f"Test{reader_class.__name__}", (Contract,), {"reader_class": reader_class})


TestBlind = _contract(Blind)
TestHopeful = _contract(Hopeful)
TestByPath = _contract(ByPath)
TestByInode = _contract(ByInode)
TestStubborn = _contract(Stubborn)
TestFragile = _contract(Fragile)
TestGuessing = _contract(Guessing)
TestGreedy = _contract(Greedy)
TestPatient = _contract(Patient)
