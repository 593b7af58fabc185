"""The contract of those who read how far a shipper is: whatever stands there, they never claim too much."""

from __future__ import annotations

import os
import shutil
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from kube_log_watcher_core.models import LogFile, Progress

ReadUpTo = Callable[[LogFile], Progress | None]
"""Tells how far a file was read; None where nobody knows."""
MakeReader = Callable[[Path], ReadUpTo]
"""Makes what reads the positions that a shipper keeps at a path, a file or a folder, which may be missing."""

SIZE, READ = 100, 60
FIRST = LogFile(Path("/spool/default_shop-1_uid-1/main-1.0000000001.log"), 4711)
SECOND = LogFile(FIRST.path.with_name("main-1.0000000002.log"), 4712)
UNKNOWN = LogFile(FIRST.path.with_name("main-1.0000000003.log"), 4713)
BROKEN = {
    "empty": b"",
    "a line": b"\n",
    "words": b"this is no such file\nat all\n",
    "zeros": bytes(4096),
    "high bytes": bytes(range(128, 256)) * 16,
    "deep": b"[" * 100_000,
    "a long number": b"9" * 10_000,
    "a number": b"7",
    "an object": b'{"version": [{"path": null}]}',
}
HUGE, MOST_MEMORY = 256 * 1024 * 1024, 128 * 1024 * 1024
"""Bytes of a file that no shipper keeps, and of what may be held of it."""
PATIENCE_SECONDS = 10.0


class PositionContract:
    """Whatever a reader of positions must keep to, so that no segment goes that was not read.

    Give the fixture ``make_reader`` and the method `note`. Each test is a rule.
    """

    no_inodes: ClassVar[str] = ""
    """Why the shipper notes files by their paths alone: enough for segments, whose paths never come back."""

    @pytest.fixture
    def make_reader(self) -> MakeReader:
        """Return what makes the reader: the one thing that every author has to say."""
        pytest.fail(f"{type(self).__name__} needs a fixture `make_reader`, which makes a reader for a path")

    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        """Return where the shipper keeps its positions: nothing is there yet."""
        return tmp_path / "positions"

    def note(self, place: Path, offsets: Mapping[LogFile, int]) -> None:
        """Write down, as the shipper does, how far it has read each of these files, and no other."""
        pytest.fail("tell how the shipper writes its positions: replace `note`")

    # ------------------------------------------------------------- rules

    def test_what_was_read_is_told(self, make_reader: MakeReader, place: Path) -> None:
        """A part of a file, then all of it: whoever is blind keeps every segment until the disk is full."""
        reader = make_reader(place)
        for read in (READ, SIZE):
            self.note(place, {FIRST: read, SECOND: 0})
            said = reader(FIRST)
            if said is None or said.read_bytes != read:
                pytest.fail(f"{read} bytes were read, and the reader says {said}")

    def test_nothing_is_claimed_of_a_file_without_a_note(self, make_reader: MakeReader, place: Path) -> None:
        """Whoever keeps accounts, and has none of a file, has read nothing of it."""
        reader = make_reader(place)
        self.note(place, {FIRST: SIZE, SECOND: READ})
        _claims_nothing(reader, UNKNOWN, what="of a file without a note")
        _claims_nothing(reader, LogFile(UNKNOWN.path), what="of a file whose inode nobody knows")

    def test_only_path_and_inode_together_name_a_file(self, make_reader: MakeReader, place: Path) -> None:
        """Inodes are used again within seconds, and paths by the next file of the same name."""
        reader = make_reader(place)
        self.note(place, {FIRST: SIZE, SECOND: READ})
        _claims_nothing(reader, LogFile(UNKNOWN.path, FIRST.inode), what="of another path with its inode")
        other = LogFile(FIRST.path, UNKNOWN.inode)
        if not self.no_inodes:
            _claims_nothing(reader, other, what="of another file under its path")
        elif (said := reader(other)) is None or said.read_bytes != SIZE:
            pytest.fail("declared, but it is not so: `no_inodes`")

    def test_missing_positions_claim_nothing(self, make_reader: MakeReader, place: Path) -> None:
        """Neither before the shipper has begun, nor when somebody has removed them, which is read again."""
        reader = make_reader(place)
        _claims_nothing(reader, FIRST, what="before there are positions")
        self.note(place, {FIRST: SIZE})
        reader(FIRST)
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()
        _claims_nothing(reader, FIRST, what="though the positions are gone")

    @pytest.mark.parametrize("what", BROKEN)
    def test_broken_positions_claim_nothing(self, make_reader: MakeReader, place: Path, what: str) -> None:
        """And raise nothing: unknown is an answer."""
        self.note(place, {FIRST: SIZE})
        for file in _files(place):
            file.write_bytes(BROKEN[what])
        _claims_nothing(make_reader(place), FIRST, what=f"by broken positions ({what})")

    def test_positions_that_are_cut_off_never_claim_too_much(
        self, make_reader: MakeReader, place: Path
    ) -> None:
        """A shipper that is killed, or is writing at this moment, leaves a part of them."""
        self.note(place, {FIRST: READ, SECOND: READ})
        whole = {file: file.read_bytes() for file in _files(place)}
        longest = max(len(content) for content in whole.values())
        for end in range(0, longest, max(1, longest // 200)):
            for file, content in whole.items():
                file.write_bytes(content[:end])
            said = make_reader(place)(FIRST)
            if said is not None and said.read_bytes > READ:
                pytest.fail(
                    f"cut off after {end} bytes, {said.read_bytes} are claimed where {READ} were read"
                )

    def test_huge_positions_are_not_held_in_memory(self, make_reader: MakeReader, place: Path) -> None:
        """The watcher has a limit, and it must not end by what somebody else writes."""
        self.note(place, {FIRST: SIZE})
        for file in _files(place):
            os.truncate(file, HUGE)
        tracemalloc.start()
        try:
            make_reader(place)(FIRST)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        if most > MOST_MEMORY:
            pytest.fail(f"{most} bytes were held of a file of {HUGE}: read a part, or refuse it")

    def test_a_pipe_keeps_nobody_waiting(self, make_reader: MakeReader, place: Path) -> None:
        """Whoever opens what somebody has put there must not wait for them."""
        self.note(place, {FIRST: SIZE})
        for file in _files(place):
            file.unlink()
            os.mkfifo(file)
        reader, said = make_reader(place), list[Progress | None]()
        asking = threading.Thread(target=lambda: said.append(reader(FIRST)), daemon=True)
        asking.start()
        asking.join(PATIENCE_SECONDS)
        if not said:
            pytest.fail("the reader waits for a pipe, or ended by it: look what it is before you open it")
        if said[0] is not None and said[0].read_bytes > 0:
            pytest.fail(f"by a pipe {said[0].read_bytes} bytes are claimed")


def _files(place: Path) -> Iterator[Path]:
    """Yield the files of the positions."""
    found = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    yield from found


def _claims_nothing(reader: ReadUpTo, file: LogFile, *, what: str) -> None:
    try:
        said = reader(file)
    except Exception as error:  # noqa: BLE001 - an author's reader may raise anything
        pytest.fail(f"the reader raises {type(error).__name__} {what}: say None where nobody knows")
    if said is not None and said.read_bytes > 0:
        pytest.fail(f"{said.read_bytes} bytes are claimed {what}")
