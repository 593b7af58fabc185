"""Runs the floor beside a stage: on a node of its own, with the same containers and the same bytes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.cost.shelf import WAIT_SECONDS, Shelf
from benchmarks.cost.stage import Stage
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_node import FakeContainer, FakeNode

ROOT = Path(__file__).resolve().parents[2]


class FloorProcess:
    """The floor as a process. Runs inside a ``with``."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self.node = FakeNode(folder / "node", stage.node.layout)
        self.shelf = Shelf(folder)
        for number in range(len(stage.containers)):
            self.node.add(pod=f"app-{number}")
        shutil.copyfile(stage.shelf.config, folder / "payload.json")
        shutil.copyfile(stage.shelf.job(stage.containers[0].id), folder / "payload.job")

    def __enter__(self) -> Self:
        depth = "1" if self.node.layout is Layout.DOCKER else "2"
        arguments = (str(self.node.containers_path), depth, str(self._folder))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.cost.floor", *arguments], cwd=ROOT
        )
        deadline = time.monotonic() + WAIT_SECONDS
        while not (self._folder / "ready").exists():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise TimeoutError("the floor does not start")
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self.shelf.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def prepare(self, number: int) -> FakeContainer:
        """Make a container that only needs to be started."""
        made = self.node.add(pod=f"next-{number}", started=False)
        (self._folder / "next").write_text(made.id, encoding="ascii")
        return made
