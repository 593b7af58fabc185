"""The daemon in this process, with clocks that a test can set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from daemon_support import Stage
from kube_log_watcher_core.configuration import Given, configure
from kube_log_watcher_core.loop import Daemon


class Clocks:
    """A wall clock and a monotonic one, beside the real ones by so many seconds."""

    def __init__(self) -> None:
        self.wall_ahead = 0.0
        self.monotonic_ahead = 0.0

    def wall(self) -> float:
        """Give the seconds since the epoch."""
        return time.time() + self.wall_ahead

    def monotonic(self) -> float:
        """Give seconds that only ever grow."""
        return time.monotonic() + self.monotonic_ahead


@contextmanager
def at_work(
    stage: Stage, clocks: Clocks, *, before_it_begins: Callable[[], object] = lambda: None
) -> Iterator[Daemon]:
    """Run the daemon of a stage in this process; its settings are read before it begins."""
    environ = {name: str(value) for name, value in stage.watcher.environ.items() if value is not None}
    given = Given(environ=environ)
    daemon = Daemon(given, configure(given), own_signals=False, clock=clocks.monotonic, wall=clocks.wall)
    before_it_begins()
    thread = threading.Thread(target=daemon.run, name="daemon")
    thread.start()
    try:
        yield daemon
    finally:
        daemon.stop()
        thread.join(30)
        assert not thread.is_alive()
