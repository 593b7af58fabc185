"""The place of the fuzz: a node, an API server, the watcher as a process, and who looks at what it writes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from benchmarks.fuzz.judge import Look, faults_of
from benchmarks.fuzz.model import Model, Settings
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_api import FakeApi
from kube_log_watcher_testing.fake_node import FakeNode
from kube_log_watcher_testing.watcher_process import WatcherProcess

LOOK_SECONDS = 0.003
"""Between two looks."""
EVENTS_ALONE = 3600.0
MOST_FAULTS = 20
GATE_SECONDS = 1.0
HOLD_SECONDS = 0.2


class Site:
    """Runs inside a ``with``. The watcher starts with it.

    Parameters
    ----------
    folder
        for everything; must be empty.
    interval
        ``WATCHER_INTERVAL``.
    """

    def __init__(self, layout: Layout, folder: Path, *, interval: float) -> None:
        self.layout = layout
        self.folder = folder
        self.model = Model()
        self.lock = threading.Lock()
        """Who holds it may change the model."""
        self.faults: list[str] = []
        """What was seen that must never be seen."""
        self.looks = 0
        self._over = threading.Event()
        self._looker = threading.Thread(target=self._look_on, name="looker")
        self.config, self.jobs = folder / "shipper" / "agent.json", folder / "jobs"
        self.state = folder / "state" / "state.json"
        for each in (self.config.parent, self.jobs, self.state.parent, folder / "links"):
            each.mkdir(parents=True)
        self.node = FakeNode(folder / "node", layout)
        self.api = FakeApi()
        self.api.start()
        self.api_is_up = True
        self._settings_file = folder / "watcher.yaml"
        self.write_settings(self.model.settings)
        self.watcher = WatcherProcess(
            self.node,
            self.api,
            environ={
                "WATCHER_AGENTS": "scalyr,appdynamics",
                "WATCHER_CONFIG": self._settings_file,
                "WATCHER_INTERVAL": str(interval),
                "WATCHER_STATE_DIR": self.state.parent,
                "WATCHER_CLUSTER_ID": "cluster-1",
                "WATCHER_DRAIN_SECONDS": None,  # in the file
                "WATCHER_DRAIN_MAX_SECONDS": "2",
                "WATCHER_GATE_SECONDS": str(GATE_SECONDS),
                "WATCHER_SCALYR_API_KEY": "key",
                "WATCHER_SCALYR_CONFIG_PATH": self.config,
                "WATCHER_SCALYR_DEST_PATH": folder / "links",
                "WATCHER_SCALYR_WRITE_INTERVAL": "0",
                "WATCHER_SCALYR_HOLD_SECONDS": str(HOLD_SECONDS),
                "WATCHER_APPDYNAMICS_DEST_PATH": self.jobs,
            },
        )
        self.log = ""
        """What watchers that have ended said."""

    def __enter__(self) -> Self:
        self.watcher.start()
        self._looker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._looker.join()
        self.watcher.close()
        if self.api_is_up:
            self.api.stop()

    # ------------------------------------------------------------------ the watcher

    def write_settings(self, settings: Settings) -> None:
        """Write the settings file, as a whole."""
        values = {
            "strict_labels": [*settings.strict_labels],
            "exclude_namespaces": [*settings.exclude_namespaces],
            "labels_as_attributes": [*settings.labels_as_attributes],
            "drain_seconds": settings.drain_seconds,
        }
        self.write_settings_text(yaml.safe_dump(values))

    def write_settings_text(self, text: str) -> None:
        """Write anything as the settings file."""
        temporary = self._settings_file.with_suffix(".new")
        temporary.write_text(text)
        os.replace(temporary, self._settings_file)

    def end_watcher(self, *, kindly: bool) -> None:
        """End it, and start it again."""
        if kindly:
            code = self.watcher.stop()
            # Before the interpreter runs the first line of ours, SIGTERM does what it always does.
            if code not in (0, -signal.SIGTERM):
                self.fault(f"the watcher ended with {code} when it was asked to stop")
        else:
            self.watcher.kill()
        self.log += self.watcher.log
        self.watcher.start()

    def hears(self, number: signal.Signals) -> bool:
        """Whether the watcher has seen to a signal by now, so that it does not end it."""
        try:
            lines = Path(f"/proc/{self.watcher.pid}/status").read_text().splitlines()
        except OSError:
            return False
        masks = [int(line.split()[1], 16) for line in lines if line.startswith(("SigCgt", "SigIgn"))]
        return any(mask >> (number - 1) & 1 for mask in masks)

    # ------------------------------------------------------------------ looking

    def fault(self, text: str) -> None:
        """Note something that must never be."""
        if len(self.faults) < MOST_FAULTS and text not in self.faults:
            self.faults.append(text)

    def look(self) -> Look:
        """Look at what is there."""
        try:
            text: bytes | None = self.config.read_bytes()
        except FileNotFoundError:
            text = None
        jobs = frozenset(name for name in os.listdir(self.jobs) if name.endswith(".job"))
        return Look(text, jobs, time.monotonic())

    def _look_on(self) -> None:
        last: Look | None = None
        while not self._over.wait(LOOK_SECONDS):
            # Nothing is noted in the model between the look and the judgement.
            with self.lock:
                look = self.look()
                if look.text is None and last is None:
                    continue  # it is not written yet
                self.looks += 1
                if last is None or (look.text, look.jobs) != (last.text, last.jobs):
                    for fault in faults_of(look, self.model):
                        self.fault(fault)
            last = look


def wait_until(test: Callable[[], object], *, timeout: float) -> bool:
    """Wait for something; tell whether it came."""
    deadline = time.monotonic() + timeout
    while not test():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
