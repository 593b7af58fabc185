"""Whatever happens in whatever order, in the end the shippers read what is there, and nothing else."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon_support import CART, SHOP, Stage, layouts
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_node import FakeContainer

STEPS = 80
INTERVAL = 0.5


class Chaos:
    """Does things at random, and remembers what should come of them."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.random = random.Random(seed)  # noqa: S311 - chosen for being repeatable
        self.pods: dict[str, list[FakeContainer]] = {}
        self.applications: dict[str, str] = {}
        self._number = 0
        self._api_is_up = True

    def happens(self) -> None:
        """Let one thing happen."""
        often: list[Callable[[], None]] = [self.pod_comes] * 4 + [self.pod_goes] * 3
        often += [self.label_changes] * 3 + [self.container_restarts] * 2 + [self.log_rotates] * 2
        rare = [self.api_goes_or_comes, self.watch_breaks, self.file_is_damaged, self.settings_are_read_again]
        rare += [self.watcher_is_killed, self.watcher_is_restarted]
        self.random.choice(often if self.random.random() < 0.85 else rare)()

    def ends(self) -> None:
        """Let everything be up again."""
        if not self._api_is_up:
            self.api_goes_or_comes()

    # ------------------------------------------------------------------ on the node and in the API

    def pod_comes(self) -> None:
        self._number += 1
        name = f"pod-{self._number}"
        labels = self.random.choice([SHOP, CART])
        self.pods[name] = [self.stage.run(name, labels=labels)]
        self.applications[name] = labels["application"]

    def _any(self) -> str | None:
        return self.random.choice(sorted(self.pods)) if self.pods else None

    def pod_goes(self) -> None:
        name = self._any()
        if name is not None:
            self.stage.api.delete("default", name)
            for container in self.pods.pop(name):
                self.stage.node.remove(container)

    def label_changes(self) -> None:
        name = self._any()
        if name is not None:
            self.applications[name] = f"app{self.random.randrange(1000)}"
            self.stage.api.relabel("default", name, application=self.applications[name])

    def container_restarts(self) -> None:
        name = self._any()
        if name is not None:
            new = self.stage.node.restart(self.pods[name][-1])
            self.pods[name].append(new)
            self.stage.show(new, labels={**SHOP, "application": self.applications[name]})
            if len(self.pods[name]) > 2:
                self.stage.node.remove(self.pods[name].pop(0))

    def log_rotates(self) -> None:
        name = self._any()
        if name is not None:
            self.stage.node.write(self.pods[name][-1], "a line")
            self.stage.node.rotate(self.pods[name][-1])

    # ------------------------------------------------------------------ around them

    def api_goes_or_comes(self) -> None:
        if self._api_is_up:
            self.stage.api.stop()
        else:
            self.stage.api.start()
        self._api_is_up = not self._api_is_up

    def watch_breaks(self) -> None:
        self.stage.api.compact()
        self.stage.api.cut_watches(in_line=True)

    def file_is_damaged(self) -> None:
        self.stage.config.write_text("{ damaged")

    def settings_are_read_again(self) -> None:
        self.stage.watcher.signal(signal.SIGHUP)

    def watcher_is_killed(self) -> None:
        self.stage.watcher.kill()
        self.stage.watcher.start()
        self.stage.watcher.wait_for_log("node node-1")

    def watcher_is_restarted(self) -> None:
        self.stage.watcher.restart()
        self.stage.watcher.wait_for_log("node node-1")

    # ------------------------------------------------------------------ what should come of it

    def is_right(self) -> bool:
        """Tell whether the shippers read exactly what is there, under its names of now."""
        stage = self.stage
        there = {each.id: name for name, containers in self.pods.items() for each in containers}
        try:
            logs = {log["attributes"]["container_id"]: log for log in stage.agent_json()["logs"]}
        except ValueError:
            return False
        named = {identity: log["attributes"]["application"] for identity, log in logs.items()}
        if named != {identity: self.applications[name] for identity, name in there.items()}:
            return False
        ids = [{path.name for path in folder.iterdir()} for folder in (stage.tree, stage.dest)]
        jobs = {path.name[len("container-") : -len("-jobfile.job")] for path in stage.jobs.iterdir()}
        return [*ids, jobs] == [there.keys()] * 3 and all(
            stage.applications(each) == {self.applications[each.pod]}
            for containers in self.pods.values()
            for each in containers
        )


@layouts
@pytest.mark.parametrize("seed", [1, 5])
def test_in_the_end_everything_is_right(tmp_path: Path, layout: Layout, seed: int) -> None:
    with Stage(tmp_path, layout, interval=INTERVAL) as stage:
        stage.start()
        chaos = Chaos(stage, seed)
        for _ in range(STEPS):
            chaos.happens()
        chaos.ends()
        stage.watcher.wait_for(chaos.is_right, timeout=60.0, what="the right outcome")
        assert stage.leftovers() == set()
        assert "Traceback" not in stage.watcher.log
