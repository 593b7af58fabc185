"""The real daemon, once for each node."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.cli.output import one_line
from kube_log_watcher_core.configuration import Given, configure
from kube_log_watcher_core.errors import WatcherError
from kube_log_watcher_core.loop import Daemon
from kube_log_watcher_core.resolve import Resolution
from kube_log_watcher_testing.demo.sample_settings import Sample
from kube_log_watcher_testing.fake_api import FakeApi
from kube_log_watcher_testing.fake_node import FakeNode

SPOOL = "spool"
"""The folder, for each node, of its spool."""
READ = "read"
"""The file, for each node, by which the demo's own shipper says that it has read everything."""
READER = Path(__file__).with_name("reader.py")


@attrs.frozen(order=True)
class Row:
    """A container as the table shows it."""

    node: str
    container: str
    followed: bool
    about: str


class Watching:
    """A daemon in a thread of this process."""

    def __init__(self, name: str, given: Given) -> None:
        self.name = name
        self.failure: WatcherError | None = None
        self._daemon = Daemon(given, configure(given), own_signals=False)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._daemon.run()
        except WatcherError as error:  # told by whoever waits for this daemon
            self.failure = error

    def stop(self, *, wait_seconds: float) -> None:
        """Stop the daemon."""
        self._daemon.stop()
        self._thread.join(wait_seconds)

    @property
    def resolution(self) -> Resolution:
        """What the daemon has decided last.

        Raises
        ------
        WatcherError
            when it could not go on.
        """
        if self.failure is not None:
            raise self.failure
        return self._daemon.resolution or Resolution()

    def rows(self) -> Iterable[Row]:
        """Show what is followed, and what isn't and why."""
        resolution = self.resolution
        for target in resolution.targets:
            about = f"{target.application or '-'} {target.version or '-'}"
            yield Row(self.name, f"{target.namespace}/{target.pod_name}/{target.container_name}", True, about)
        for skipped in resolution.skipped:
            container = skipped.container
            name = f"{container.namespace}/{container.pod_name}/{container.name}"
            detail = f": {skipped.detail}" if skipped.detail else ""
            yield Row(self.name, name, False, one_line(f"{skipped.reason.value}{detail}"))


def watch(name: str, node: FakeNode, api: FakeApi, samples: Sequence[Sample], folder: Path) -> Watching:
    """Start a daemon for a node, with all settings as if from the command line."""
    for inner in ("state", SPOOL):
        (folder / inner).mkdir()
    values = {
        "agents": ",".join([*(sample.name for sample in samples), *(["reader"] if samples else [])]),
        "extra_agent": str(READER),
        "reader.account": str(folder / READ),
        "containers_path": str(node.containers_path),
        "kube_url": api.url,
        "cluster_node_name": name,
        "cluster_id": "demo",
        "state_dir": str(folder / "state"),
        "spool_dir": str(folder / SPOOL),
        "spool_min_free_percent": "0",
        # People don't want to wait as long as shippers and the API may need.
        "spool_seconds": "1",
        "gate_seconds": "1",
    }
    for sample in samples:
        values |= sample.values
    return Watching(name, Given(command_line=values))
