"""Killed at each system call that changes the spool: no file of a log is lost, and none is there twice."""

from __future__ import annotations

import contextlib
import itertools
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from daemon_support import Stage, with_spool
from fuzz_support import thorough
from kube_log_watcher_core import Layout
from kube_log_watcher_core.spool.spooled import waiting_stem
from kube_log_watcher_testing.fake_api import pod_object
from support import wait_until
from trace_support import traced

CALLS = ("linkat", "renameat", "mkdirat", "openat", "write", "unlinkat", "utimensat")
AT_ITS_END = ("unlinkat", "openat", "utimensat")
"""Calls by which segments go, which takes a moment."""
FILES = 3
AT_ONCE = 7
"""Stages that play at the same time: most of it is waiting."""
WAIT_SECONDS = 60.0


pytestmark = [
    pytest.mark.long,
    traced,
    pytest.mark.timeout(900),
]


class Play:
    """One log's life with the spool, during which the watcher is killed at most once."""

    def __init__(self, stage: Stage, call: str, number: int) -> None:
        self._stage = stage
        self._spool = stage.root / "node" / "spool"
        self._plain = stage.watcher.command
        self._made = stage.node.add(pod="web")
        stage.api.add(pod_object("resident"))  # a node on which the API shows no pod at all is another story
        stage.watcher.command = [*self._trap(call, number), *self._plain]
        self._waits_for_the_end = call in AT_ITS_END
        self._written = 1
        self._rotated_at = 0
        self.was_killed = False
        self.files: dict[str, tuple[int, int]] = {}
        """The number and the inode of the file that was seen under each name."""

    def _trap(self, call: str, number: int) -> list[str]:
        """Give the command that kills at the so many-eth call of a kind on the spool, before it is done."""
        made = self._made
        is_docker = self._stage.node.layout is Layout.DOCKER
        key = made.id if is_docker else f"{made.namespace}/{made.pod}/{made.uid}/{made.name}/{made.restart}"
        note = f".waiting/{waiting_stem(key)}.json.new"
        paths = ["", f"{made.namespace}_{made.pod}_{made.uid}", ".numbers", ".waiting", note]
        options = [option for path in paths for option in ("-P", str(self._spool / path))]
        if call == "utimensat":  # by a descriptor alone, which strace takes for no path
            options = []
        if call == "openat":  # only what makes a file, by its name as it is given
            options = ["-P", Path(note).name, "-P", ".numbers"]
        inject = f"inject={call}:signal=KILL:when={number}"
        return ["strace", "-D", "-f", "-qq", "-o", "/dev/null", *options, "-e", f"trace={call}", "-e", inject]

    def run(self) -> None:
        """Let a pod come, its log be rotated twice, and the pod go."""
        stage, made = self._stage, self._made
        stage.node.write(made, "file 1")
        stage.watcher.start()
        stage.show(made)
        self._go_on(lambda: stage.keeps(made))
        while self._written < FILES:
            self._rotate()
            self._go_on(lambda: stage.keeps(made))
        stage.end(made)
        self._go_on(lambda: not self._waits_for_the_end or self._has_ended())
        with contextlib.suppress(ProcessLookupError):
            stage.watcher.stop()
        self.was_killed = self.was_killed or stage.watcher.exit_code == -signal.SIGKILL
        numbers = [number for _, (number, _) in sorted(self.files.items())]
        assert numbers == list(range(1, FILES + 1)), "each file has one name, and they are in order"

    def _rotate(self) -> None:
        """Let the log go on to another file, in another second: the kubelet's names have it."""
        wait_until(lambda: int(time.time()) != self._rotated_at or self._stage.node.layout is Layout.DOCKER)
        self._rotated_at = int(time.time())
        self._stage.node.rotate(self._made)
        self._written += 1
        self._stage.node.write(self._made, f"file {self._written}")

    def _has_ended(self) -> bool:
        """Tell whether all segments have gone, and which numbers they had is noted."""
        if list(self._spool.glob("*_*")):
            return False
        last = max(int(name.split(".")[-2]) for name in self.files)
        return self.was_killed or int((self._spool / ".numbers").stat().st_mtime) == last + 1

    def _go_on(self, is_done: Callable[[], bool]) -> None:
        """Wait, with a shipper's eye on the spool. A killed watcher is started after one more rotation."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not self._seen(is_done):
            watcher = self._stage.watcher
            if not watcher.running:
                assert watcher.exit_code == -signal.SIGKILL, watcher.log
                assert not self.was_killed, "nobody kills it twice"
                self.was_killed = True
                if self._written < FILES and self._made.log.exists():
                    self._rotate()
                watcher.command = self._plain
                watcher.start()
            assert time.monotonic() < deadline, watcher.log[-3000:]
            time.sleep(0.01)

    def _seen(self, is_done: Callable[[], bool]) -> bool:
        with contextlib.suppress(FileNotFoundError):  # it is at work
            for path in self._spool.glob("*/*.log"):
                inode, text = path.stat().st_ino, path.read_text()
                match = re.search(r"file (\d)", text)
                if match:
                    found = (int(match[1]), inode)
                    assert self.files.setdefault(path.name, found) == found, "a name is of one file"
            return is_done()
        return False


def play(root: Path, layout: Layout, call: str, number: int) -> bool:
    """Play a life; tell whether the watcher was killed in it."""
    with with_spool(root, layout, environ={"WATCHER_SPOOL_SECONDS": "1"}) as stage:
        made = Play(stage, call, number)
        made.run()
    return made.was_killed


def plays_until_nobody_kills(root: Path, layout: Layout, call: str) -> int:
    """Play with the first call of a kind, the second, and so on; give how often it was killed."""
    return next(
        number - 1
        for number in itertools.count(1)
        if not play(root / f"{call}-{number}", layout, call, number)
    )


LAYOUTS = list(Layout) if thorough() else [Layout.DOCKER]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: str(layout.value))
def test_killed_at_each_call_that_changes_the_spool_nothing_is_lost_or_doubled(
    tmp_path: Path, layout: Layout
) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        kills = list(pool.map(lambda call: plays_until_nobody_kills(tmp_path, layout, call), CALLS))
    enough = {
        "linkat": 3,
        "renameat": 2,
        "mkdirat": 2,
        "openat": 2,
        "write": 1,
        "unlinkat": 4,
        "utimensat": 1,
    }
    assert all(found >= enough[call] for call, found in zip(CALLS, kills, strict=True)), kills
