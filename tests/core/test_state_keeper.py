"""What agents wait for, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core.agents import FolderLocks
from kube_log_watcher_core.files import Disk, File
from kube_log_watcher_core.loop.state_keeper import LONGEST_WAIT_SECONDS, PAUSE_SECONDS, StateKeeper
from kube_log_watcher_core.models import Departed, LogTarget, Pod, Work
from kube_log_watcher_core.state import NAME
from kube_log_watcher_testing.factories import make_container, make_target
from support import wait_until


class Gate(Disk):
    """A disk that takes its time, or is full."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.writes = 0
        self.full = False

    def write(self, fd: int, file: File) -> None:
        assert self.free.wait(30)
        if self.full:
            raise OSError(28, "No space left on device")
        super().write(fd, file)
        self.writes += 1


class Bench:
    """A keeper with a clock that the test sets."""

    def __init__(self, folder: Path) -> None:
        self.now = 100.0
        self.disk = Gate()
        self.told = threading.Event()
        self.file = folder / NAME
        self.keeper = StateKeeper(
            folder, FolderLocks(), on_kept=self.told.set, clock=lambda: self.now, disk=self.disk
        )
        self.keeper.start()
        self.keeper.begin()

    def text(self) -> str:
        return self.file.read_text()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.disk.free.set()
    bench.keeper.stop(wait_seconds=30)


ONE, TWO = make_target(), make_target(make_container(2))


def relabelled(target: LogTarget) -> LogTarget:
    pod: Pod = attrs.evolve(target.pod, labels={"application": "other"})
    return attrs.evolve(target, pod=pod, application="other")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Work(), Work((ONE,))),
        (Work((ONE,)), Work((attrs.evolve(ONE, id="e" * 64),))),
        (Work((ONE,)), Work((), (Departed(ONE, since=1.0),))),
        (Work((), (Departed(ONE, since=1.0),)), Work((), (Departed(ONE, since=2.0),))),
    ],
    ids=["a log", "an id", "a drain", "a drain's beginning"],
)
def test_what_a_restart_could_not_find_out_is_on_the_disk_before_it_is_handed_on(
    bench: Bench, before: Work, after: Work
) -> None:
    wait_until(lambda: bench.keeper.keep(before))
    bench.told.clear()
    bench.disk.free.clear()
    assert not bench.keeper.keep(after)
    assert not bench.keeper.keep(after)
    bench.disk.free.set()
    assert bench.told.wait(30)
    assert bench.keeper.keep(after)
    assert bench.keeper.next_deadline() is None


def test_what_can_be_had_again_is_handed_on_at_once_and_written_when_the_pause_is_over(bench: Bench) -> None:
    wait_until(lambda: bench.keeper.keep(Work((ONE, TWO))))
    writes = bench.disk.writes
    for _ in range(3):
        assert bench.keeper.keep(Work((relabelled(ONE), TWO)))
        assert bench.keeper.keep(Work((ONE, relabelled(TWO))))
    assert bench.keeper.keep(Work((TWO,)))
    assert bench.keeper.next_deadline() == 100.0 + PAUSE_SECONDS
    assert bench.disk.writes == writes
    bench.now += PAUSE_SECONDS
    assert bench.keeper.keep(Work((TWO,)))
    wait_until(lambda: bench.disk.writes == writes + 1)
    assert ONE.id not in bench.text()


def test_a_disk_that_hangs_is_waited_for_only_so_long(bench: Bench) -> None:
    bench.disk.free.clear()
    assert not bench.keeper.keep(Work((ONE,)))
    bench.now += LONGEST_WAIT_SECONDS / 2
    assert not bench.keeper.keep(Work((ONE, TWO))), "more that waits begins no new wait"
    assert bench.keeper.next_deadline() == 100.0 + LONGEST_WAIT_SECONDS
    bench.now = 100.0 + LONGEST_WAIT_SECONDS
    assert bench.keeper.keep(Work((ONE, TWO)))


def test_a_full_disk_is_not_waited_for(bench: Bench) -> None:
    bench.disk.full = True
    assert not bench.keeper.keep(Work((ONE,)))
    wait_until(lambda: bench.keeper.keep(Work((ONE,))))


def test_what_waits_for_its_pause_is_written_at_the_end(bench: Bench) -> None:
    wait_until(lambda: bench.keeper.keep(Work((ONE, TWO))))
    assert bench.keeper.keep(Work((TWO,)))
    bench.keeper.stop(wait_seconds=30)
    assert ONE.id not in bench.text()


def test_the_first_work_is_written_also_where_there_is_nothing_to_follow(bench: Bench) -> None:
    bench.keeper.keep(Work())
    wait_until(bench.file.exists)


def test_who_is_stopped_before_anything_was_decided_leaves_the_file_as_it_was(bench: Bench) -> None:
    bench.file.write_text("what another version left")
    bench.keeper.stop(wait_seconds=30)
    assert bench.text() == "what another version left"
