"""A node with so many containers, its API server, and the watcher with both agents and metrics."""

from __future__ import annotations

import itertools
import socket
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.cost.plan import Plan
from benchmarks.cost.pods import pod_of
from benchmarks.cost.shelf import WAIT_SECONDS, Shelf
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_api import FakeApi
from kube_log_watcher_testing.fake_node import FakeContainer, FakeNode
from kube_log_watcher_testing.watcher_process import WatcherProcess


class Stage:
    """All that a watcher needs. It runs between `start` and the end of the ``with``.

    Parameters
    ----------
    size
        the number of containers; each has a pod of its own.
    plan
        tells how long to wait for what settles.
    environ
        further variables of the watcher.
    small
        leave the API's objects small: for measurements of thousands of changes.
    """

    def __init__(
        self,
        folder: Path,
        layout: Layout,
        size: int,
        *,
        plan: Plan,
        environ: Mapping[str, str | None] | None = None,
        small: bool = False,
        url: str | None = None,
        api: FakeApi | None = None,
    ) -> None:
        folder.mkdir(parents=True)
        (folder / "state").mkdir()
        self.node = FakeNode(folder / "node", layout)
        self.shelf = Shelf(folder)
        self._plan = plan
        self._small = small
        self._numbers = itertools.count(size)
        self._own_api = api is None
        self.api = api or FakeApi()
        if self._own_api:
            self.api.start()
        self.containers = [self.add(f"app-{number % 40}-{number}") for number in range(size)]
        self._port = _free_port()
        self.watcher = WatcherProcess(
            self.node,
            url or self.api.url,
            environ={
                "WATCHER_AGENTS": "scalyr,appdynamics",
                "WATCHER_CLUSTER_ID": "cluster-1",
                "WATCHER_INTERVAL": "3600",
                "WATCHER_STATE_DIR": folder / "state",
                "WATCHER_HTTP_ADDRESS": f"127.0.0.1:{self._port}",
                "WATCHER_SCALYR_API_KEY": "key",
                "WATCHER_SCALYR_CONFIG_PATH": self.shelf.config,
                "WATCHER_SCALYR_DEST_PATH": self.shelf.links,
                "WATCHER_SCALYR_WRITE_INTERVAL": "0",
                "WATCHER_APPDYNAMICS_DEST_PATH": self.shelf.jobs,
                # As in production: 300 s for each log that goes. What changes wait for on purpose is no cost.
                "WATCHER_DRAIN_SECONDS": None,
                "WATCHER_SCALYR_HOLD_SECONDS": "0",
                "LOGLEVEL": "warning",
                "MALLOC_ARENA_MAX": "1",  # as in the image
                **(environ or {}),
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.watcher.close()
        self.shelf.close()
        if self._own_api:
            self.api.stop()

    @property
    def pid(self) -> int:
        """The watcher's process."""
        return self.watcher.pid

    def start(self) -> float:
        """Start the watcher; give the seconds until the configuration is complete."""
        began = time.monotonic()
        self.watcher.start()
        try:
            arrived = self.shelf.arrivals([each.id for each in self.containers])
        except TimeoutError as error:
            raise TimeoutError(f"{error}; the watcher said: {self.watcher.log[-2000:]}") from error
        return max(arrived.values()) - began

    def started(self) -> Self:
        """Start the watcher, and let it come to rest."""
        self.start()
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until all that happened is written, the state file too."""
        time.sleep(self._plan.settled_seconds)

    def quiet_down(self) -> None:
        """Wait until what happened counts as over: what comes next is a first change."""
        time.sleep(self._plan.quiet_seconds)

    def add(self, pod: str) -> FakeContainer:
        """Let a pod with a container run."""
        made = self.node.add(pod=pod)
        self.api.add(pod_of(made, small=self._small))
        return made

    def prepare(self) -> FakeContainer:
        """Make a container that only needs to be started: its pod is known, its folder is there."""
        number = next(self._numbers)
        made = self.node.add(pod=f"next-{number}", started=False)
        self.api.add(pod_of(made, small=self._small))
        return made

    def remove(self, container: FakeContainer) -> None:
        """Let a container be unwanted, and go when nobody follows it: nothing drains."""
        self.api.relabel(container.namespace, container.pod, application="")
        self.shelf.wait_without(container.id)
        self.end(container)

    def end(self, container: FakeContainer) -> None:
        """Let a container and its pod go: its log drains."""
        self.api.delete(container.namespace, container.pod)
        self.node.remove(container)

    def let_one_drain(self) -> Self:
        """Let the first container go, and wait until all agents drain its log."""
        self.end(self.containers.pop(0))
        for agent in ("scalyr", "appdynamics"):
            self.wait_metric("kube_log_watcher_drains", 1, agent=agent)
        self.settle()
        return self

    def metric(self, name: str, **labels: str) -> float:
        """Ask for a metric: the sum of its samples that have these labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        found = [line for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in found if all(each in line for each in wanted))

    def wait_metric(self, name: str, least: float, **labels: str) -> None:
        """Wait until a metric is so large. Raises TimeoutError."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self._metric_or_nothing(name, labels) < least:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} stayed below {least}")
            time.sleep(0.02)

    def _metric_or_nothing(self, name: str, labels: Mapping[str, str]) -> float:
        try:
            return self.metric(name, **labels)
        except OSError:
            return 0.0  # it does not listen yet


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
