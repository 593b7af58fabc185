"""Whatever happens to logs, pods, shippers and clocks: each file is linked once, in order, and for good."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fuzz_support import factor
from kube_log_watcher_core.models import Layout, LogTarget
from kube_log_watcher_core.segments import WAITING
from spool_history import (
    MOST_ROTATED,
    RULES,
    SECONDS,
    TIGHT,
    Clocks,
    File,
    Killed,
    Log,
    MortalDisk,
    Node,
    Process,
    Shipper,
)

pytestmark = pytest.mark.timeout(300 * factor())
LOGS = 4
"""Rules take one of the latest so many."""
SOME = st.integers(0, LOGS - 1)


class AnyHistory(RuleBasedStateMachine):
    """The real spool on a real folder, and beside it a list of all files that there ever were."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="klw-history-")).resolve()
        self.spool = self.root / "spool"
        self.spool.mkdir()
        self.clocks = Clocks(self.root / "marker")
        self.node = Node(self.root / "node", self.clocks)
        self.shipper = Shipper(self.clocks)
        self.disk = MortalDisk(self.clocks)
        self.process = self._begin(())
        self.bounds = RULES
        self.named: dict[Path, int] = {}
        """Which file was seen under each name, ever."""
        self.links: dict[int, Path] = {}
        """Where each file is linked, as it was seen last."""
        self.dropped: set[Path] = set()
        """Links of logs that nobody wanted; the janitor removes them sooner or later."""
        self.doubtful: set[int] = set()
        """Files that ended before somebody set a clock, after which the watcher began anew."""
        self.clock_was_set = 0.0

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    def _begin(self, left: tuple[LogTarget, ...]) -> Process:
        return Process(
            self.spool, left, root=self.root, clocks=self.clocks, disk=self.disk, shipper=self.shipper
        )

    # ------------------------------------------------------------------ what there is

    def log(self, number: int) -> Log | None:
        latest = self.node.logs[-LOGS:]
        return latest[number] if number < len(latest) else None

    def paths(self) -> list[Path]:
        """Give all links, seen and unseen."""
        return [*self.spool.glob("*/*.log"), *self.spool.glob(f"{WAITING}/*.kept")]

    def scan(self, unwanted: Collection[int]) -> dict[int, Path]:
        """Give where each file is linked; no file is twice, and no name is ever of two files."""
        found: dict[int, Path] = {}
        for path in self.paths():
            number = int(path.read_text().split()[0])
            assert self.named.setdefault(path, number) == number, f"{path} was of another file"
            if self.node.files[number].log.number in unwanted:
                self.dropped.add(path)
            if path not in self.dropped:
                assert number not in found, f"{path} and {found[number]} are one file"
                found[number] = path
        return found

    # ------------------------------------------------------------------ what the watcher does

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """See what the watcher makes of the spool: what goes must have a reason, what comes is new."""
        self.links = {number: path for number, path in self.links.items() if path not in self.dropped}
        may_go = {number for number in self.links if self.may_go(self.node.files[number])}
        yield
        unwanted = {log.number for log in self.node.logs if log.pod == "excluded"}
        unwanted -= {log.number for log in self.node.logs if log.key in self.process.keeper.logs}
        links = self.scan(unwanted)
        for number in self.links.keys() - links.keys():
            file = self.node.files[number]
            assert number in may_go or self.links[number] in self.dropped, f"{file} went without a reason"
            file.let_go = file.log.pod != "excluded"
        for number in links.keys() - self.links.keys():
            file = self.node.files[number]
            assert not file.let_go or file.taken, f"{file} was linked again"
            file.taken = False
        self.links = links

    def _links_of(self, log: Log) -> list[Path]:
        return [path for path, number in self.named.items() if self.node.files[number].log is log]

    def may_go(self, file: File) -> bool:
        """Whether there is a reason to remove a file's link."""
        log, now = file.log, self.clocks.elapsed()
        if log.pod == "excluded" or file.taken:
            return True
        if file.ended is None:
            return False
        path = self.links[file.number]
        status = path.stat()
        if self.bounds is TIGHT and status.st_nlink == 1:
            return True
        if not self.shipper.tells or path.parent.name == WAITING:
            had_its_time = now - file.ended >= SECONDS or file.number in self.doubtful
        else:
            had_its_time = False
        read = self.shipper.has_read(path, status.st_ino) >= status.st_size
        unknown = log.forgotten is not None and now - log.forgotten >= SECONDS and status.st_nlink == 1
        return had_its_time or (self.shipper.tells and read) or unknown

    @rule(full=st.booleans())
    def look(self, *, full: bool = False) -> None:
        with self.watched():
            self.process.look(self.node.logs, full=full, rules=self.bounds)
        if full:
            for log in self.node.logs:
                if log.live is not None and log.live.number in self.links:
                    log.live.taken = False
        self.check_complete()

    def check_complete(self) -> None:
        """See whether each file that the watcher could see is linked and known, or was let go of."""
        for log in self.node.logs:
            known = self.process.keeper.logs.get(log.key)
            if known is not None:
                links = {self.links[file.number] for file in log.files if file.number in self.links}
                assert links <= {known.path(each) for each in known.segments}
            if log.pod == "excluded":
                continue
            for file in log.visible() if log.live else ():
                assert file.number in self.links or file.let_go or file.taken, f"{file} is not linked"

    @rule()
    def janitor_works(self) -> None:
        with self.watched():
            self.process.sweep()

    @rule(forgets=st.booleans())
    def watcher_begins_anew(self, *, forgets: bool) -> None:
        left = () if forgets else self.process.targets
        known = {each.container.key for each in left}
        for file in self.node.files:
            if file.ended is not None and self.clock_was_set >= file.ended:
                self.doubtful.add(file.number)
        for log in self.node.logs:
            if log.live is None and log.key not in known:
                log.forgotten = log.forgotten or self.clocks.elapsed()
        self.disk.changes_left = None
        # A link that was to be removed counts again, unless its file was linked anew.
        self.dropped = {path for path in self.dropped if path.exists() and self.named[path] in self.links}
        with self.watched():
            self.process = self._begin(left)
        self.look()

    @rule(changes=st.integers(0, 3), full=st.booleans(), sweeps=st.booleans())
    def watcher_is_killed(self, changes: int, *, full: bool, sweeps: bool) -> None:
        self.disk.changes_left = changes
        with self.watched(), contextlib.suppress(Killed):
            if sweeps:
                self.process.sweep()
            self.process.look(self.node.logs, full=full, rules=self.bounds)
        self.watcher_begins_anew(forgets=False)

    # ------------------------------------------------------------------ what happens on the node

    @precondition(lambda self: sum(log.is_there for log in self.node.logs) < LOGS)
    @rule(layout=st.sampled_from(Layout), compresses=st.booleans(), rotated=st.integers(0, 2))
    def container_comes(self, layout: Layout, *, compresses: bool, rotated: int) -> None:
        log = self.node.add(layout, compresses=compresses or layout is Layout.CRI)  # the kubelet always does
        for _ in range(rotated):
            self.node.rotate(log)

    @rule(number=SOME)
    def line_is_written(self, number: int) -> None:
        self._at(number, self.node.write)

    @rule(number=SOME)
    def log_is_rotated(self, number: int) -> None:
        log = self.log(number)
        if log is None:
            return
        if log.live is not None and log.live.taken:
            self.look(full=True)  # else its inode may come back as that of the next file, and nobody can tell
        if not self.node.rotate(log):
            self.look()

    @rule(number=SOME)
    def log_goes_before_its_container(self, number: int) -> None:
        self._at(number, lambda log: self.node.lose(log) if log.is_there else None)

    @rule(number=SOME)
    def container_goes(self, number: int) -> None:
        self._at(number, lambda log: self.node.end(log) if log.is_there else None)

    @rule(number=SOME, pod=st.sampled_from(["known", "known", "excluded"]))
    def pod_is_learned_or_changes(self, number: int, pod: str) -> None:
        def change(log: Log) -> None:
            if pod == "excluded":  # what comes back begins anew
                for file in log.files:
                    file.let_go = False
            log.pod = pod

        self._at(number, change)

    @rule(number=SOME, is_ready=st.booleans())
    def agent_is_ready_or_not(self, number: int, *, is_ready: bool) -> None:
        self._at(number, lambda log: setattr(log, "is_ready", is_ready))

    def _at(self, number: int, happens: Callable[[Log], object]) -> None:
        log = self.log(number)
        if log is not None:
            happens(log)

    # ------------------------------------------------------------------ shippers, clocks, people

    @rule()
    def shipper_reads_all(self) -> None:
        for path in self.spool.glob("*/*.log"):
            self.shipper.read(path)

    @rule(tells=st.booleans())
    def shipper_tells_or_not(self, *, tells: bool) -> None:
        self.shipper.tells = tells

    @rule(seconds=st.sampled_from([3.0, SECONDS + 1]))
    def time_passes(self, seconds: float) -> None:
        self.clocks.go_on(seconds)

    @rule(seconds=st.sampled_from([-86_400.0, -2.0, 2.0, 86_400.0]))
    def wall_clock_is_set(self, seconds: float) -> None:
        self.look()
        self.clocks.set_wall(seconds)
        self.look()
        self.clock_was_set = self.clocks.elapsed()

    @rule()
    def spool_is_full_for_a_while(self) -> None:
        self.janitor_works()
        self.bounds = TIGHT
        self.look()
        self.janitor_works()
        self.bounds = RULES
        self.look()

    @rule(number=SOME)
    def somebody_removes_the_live_link(self, number: int) -> None:
        log = self.log(number)
        if log is not None and log.live is not None and log.live.number in self.links:
            self.links.pop(log.live.number).unlink(missing_ok=True)
            log.live.taken = True

    # ------------------------------------------------------------------ what always holds

    @invariant()
    def numbers_go_up_as_the_log_went_on(self) -> None:
        for log in self.node.logs:
            linked = [each.number for each in log.files if each.number in self.links]
            links = [(self.links[number].name.split(".")[-2], number) for number in linked]
            assert links == sorted(links), links

    @invariant()
    def nothing_hidden_can_be_seen(self) -> None:
        for path in self.spool.glob("*/*.log"):
            log = self.node.files[int(path.read_text().split()[0])].log
            assert log.pod != "unknown"

    @rule()
    def all_is_quiet(self) -> None:
        """Let the watcher come to an end with what it has to do: nothing of an unwanted log is left."""
        for _ in range(3):
            self.look()
            self.janitor_works()
        self.look(full=True)
        for log in self.node.logs:
            if log.pod == "excluded" and log.forgotten is None:
                assert not [path for path in self._links_of(log) if path.exists()]
        assert not self.process.keeper.by_path
        stems = {path.name.split(".")[0] for path in self.paths() if path.parent.name == WAITING}
        notes = {path.name.split(".")[0] for path in self.spool.glob(f"{WAITING}/*")} - stems
        assert not notes, "what is noted is of files that are there"
        assert set(self.spool.glob("*_*")) == {path.parent for path in self.spool.glob("*_*/*")}

    @rule()
    def all_ends(self) -> None:
        """Let all containers go, all pods be known or not, and time pass: nothing is left."""
        for log in self.node.logs:
            log.is_ready = True
            if log.is_there:
                self.node.end(log)
        self.look()
        self.shipper.tells = False
        for _ in range(2):  # what is shown only then has its time from then on
            self.all_is_quiet()
            self.clocks.go_on(SECONDS + 1)
        self.all_is_quiet()
        assert self.paths() == []


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    max_examples=60 * factor(),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def history() -> Iterator[AnyHistory]:
    """Give a history that a test tells itself: what the machine has found."""
    history = AnyHistory()
    yield history
    history.teardown()


def segments_known(history: AnyHistory) -> list[int]:
    """Give the numbers of the first log's files, as far as the watcher knows of them."""
    (log,) = history.process.keeper.logs.values()
    by_path = {path: number for number, path in history.links.items()}
    return [by_path[log.path(each)] for each in log.segments]


def test_what_is_shown_while_the_janitor_is_on_its_way_is_not_taken_for_removed(history: AnyHistory) -> None:
    history.container_comes(Layout.CRI, compresses=True, rotated=1)
    history.look()
    history.pod_is_learned_or_changes(0, "known")
    history.look()
    history.janitor_works()  # was sent when the first file still waited
    history.look()
    assert segments_known(history) == [0, 1]


def test_a_file_that_was_linked_again_right_before_the_end_loses_its_first_link(history: AnyHistory) -> None:
    history.container_comes(Layout.DOCKER, compresses=False, rotated=1)
    for pod in ("known", "excluded", "known"):
        history.pod_is_learned_or_changes(0, pod)
        history.look()
    assert len(history.paths()) == 4
    history.watcher_begins_anew(forgets=False)
    history.janitor_works()
    assert len(history.paths()) == 2
    assert segments_known(history) == [0, 1]


def test_what_docker_rotated_away_while_the_watcher_was_down_is_linked_as_far_as_it_is_there(
    history: AnyHistory,
) -> None:
    history.container_comes(Layout.DOCKER, compresses=False, rotated=0)
    history.pod_is_learned_or_changes(0, "known")
    history.look()
    for _ in range(MOST_ROTATED + 2):
        history.log_is_rotated(0)
    history.watcher_begins_anew(forgets=False)
    assert segments_known(history) == [0, 2, 3, 4, 5, 6]


def test_numbers_are_not_used_again_after_a_restart_though_the_clock_was_set_back(
    history: AnyHistory,
) -> None:
    history.container_comes(Layout.CRI, compresses=True, rotated=2)
    history.pod_is_learned_or_changes(0, "known")
    history.look()
    used = {path.name for path in history.paths()}
    history.pod_is_learned_or_changes(0, "excluded")
    history.all_is_quiet()
    assert history.paths() == []
    history.clocks.set_wall(-2.0)
    history.watcher_begins_anew(forgets=False)
    history.all_is_quiet()
    history.pod_is_learned_or_changes(0, "known")
    history.look()
    assert len(history.paths()) == 2
    assert used.isdisjoint(path.name for path in history.paths())


def test_without_a_state_file_segments_are_found_by_the_containers_id_where_no_file_is_left_of_them(
    history: AnyHistory,
) -> None:
    history.container_comes(Layout.DOCKER, compresses=True, rotated=0)
    history.pod_is_learned_or_changes(0, "known")
    history.look()
    history.log_is_rotated(0)
    history.watcher_begins_anew(forgets=True)
    assert segments_known(history) == [0, 1]


def test_a_folder_without_a_segment_goes_at_the_next_start(history: AnyHistory) -> None:
    empty = history.spool / "default_pod-9_uid-9"
    empty.mkdir()
    (history.spool / "default_pod-8_uid-8").mkdir()
    (history.spool / "default_pod-8_uid-8" / "of somebody else").touch()
    history.watcher_begins_anew(forgets=False)
    assert [path.name for path in history.spool.iterdir()] == ["default_pod-8_uid-8"]


@pytest.mark.parametrize("made", ["link", "fifo", "folder", "far"])
def test_what_somebody_put_where_the_numbers_are_noted_is_not_followed(
    history: AnyHistory, made: str
) -> None:
    note, outside = history.spool / ".numbers", history.root / "outside"
    outside.touch()
    before = outside.stat().st_mtime_ns
    if made == "link":
        note.symlink_to(outside)
    elif made == "fifo":
        os.mkfifo(note)
    elif made == "folder":
        note.mkdir()
    else:
        note.touch()
        os.utime(note, (10**10, 10**10))
    history.watcher_begins_anew(forgets=False)
    history.container_comes(Layout.CRI, compresses=True, rotated=0)
    history.pod_is_learned_or_changes(0, "known")
    history.look()
    history.pod_is_learned_or_changes(0, "excluded")
    history.all_is_quiet()
    assert outside.stat().st_mtime_ns == before
    history.pod_is_learned_or_changes(0, "known")
    history.look()
    assert segments_known(history) == [0]
