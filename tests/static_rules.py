"""What holds for every agent of a shipper with one static configuration: derive a class, and say which."""

from __future__ import annotations

import importlib.resources
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from kube_log_watcher_core import AgentConfigError, FileAgent, Layout, LogTarget, NodeContext
from kube_log_watcher_core.settings import Sources, load
from kube_log_watcher_testing.contract.disks import CountingDisk
from kube_log_watcher_testing.factories import make_container, make_target

SPOOL = Path("/var/log/kube-log-watcher/spool")
HAS_SPOOL = NodeContext(has_spool=True, spool_dirs=(SPOOL,))
FEW_STEPS = 6
"""On the disk for one file: open its folder, read and write it, and settle the folder."""


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


def spooled(
    number: int, labels: Mapping[str, str] | None = None, *, annotations: Mapping[str, str] | None = None
) -> LogTarget:
    """Make a target whose log the spool keeps, with these labels among others."""
    container = attrs.evolve(make_container(number, layout=Layout.CRI), spool=SPOOL)
    given = {"application": "shop", "note": "#{1+1} ${X} %{q} $$ \"'", **(labels or {})}
    return make_target(container, labels=given, annotations=annotations)


class StaticRules:
    """Rules for the agent, its settings, and the configuration that its package brings."""

    name: ClassVar[str]
    """The agent's, and its package's after ``kube_log_watcher_``."""
    file: ClassVar[str]
    """The configuration in the package's folder ``static``."""
    positions: ClassVar[tuple[str, Path] | None] = None
    """The setting of the shipper's positions, and where they are by that configuration."""
    named: ClassVar[tuple[str, ...]] = (str(SPOOL),)
    """What the configuration has to name."""

    @property
    def agent_class(self) -> type[FileAgent[Any]]:
        """The agent, by its entry point."""
        (found,) = entry_points(group="kube_log_watcher.agents", name=self.name)
        loaded: type[FileAgent[Any]] = found.load()
        return loaded

    @property
    def configuration(self) -> str:
        """The configuration as the package brings it."""
        package = importlib.resources.files(f"kube_log_watcher_{self.name}")
        return (package / "static" / self.file).read_text("utf-8")

    def make_agent(self, folder: Path, *, node: NodeContext = HAS_SPOOL, **settings: Any) -> FileAgent[Any]:
        """Make an agent with these settings."""
        made = self.agent_class.settings_class(folder=folder, **settings)
        return self.agent_class(made, node)

    def configured(self, tmp_path: Path, text: str) -> FileAgent[Any]:
        """Make an agent for the folders of a configuration, which are below another."""
        config, folder = tmp_path / self.file, tmp_path / "metadata"
        folder.mkdir()
        text = text.replace(f"/var/log/kube-log-watcher/{self.name}", str(folder))
        settings: dict[str, Any] = {"config": config}
        if self.positions is not None:
            setting, default = self.positions
            (tmp_path / "state").mkdir()
            settings[setting] = tmp_path / "state" / default.name
            text = text.replace(str(default), str(settings[setting]))
        config.write_text(text)
        return self.make_agent(folder, **settings)

    # ------------------------------------------------------------------ rules

    def test_nothing_is_needed_but_the_folder(self) -> None:
        environ = {f"WATCHER_{self.name.upper()}_FOLDER": "/x"}
        settings_class = self.agent_class.settings_class
        settings: object = load(settings_class, Sources(environ=environ), section=self.name).unwrap()
        assert settings == settings_class(folder=Path("/x"))

    def test_without_a_spool_check_names_the_setting(self, tmp_path: Path) -> None:
        with pytest.raises(AgentConfigError, match="WATCHER_SPOOL_DIR"):
            self.make_agent(tmp_path, node=NodeContext()).check()

    def test_the_shipped_configuration_names_all_that_it_has_to(self, tmp_path: Path) -> None:
        self.configured(tmp_path, self.configuration).check()

    def test_what_the_configuration_does_not_name_is_told(self, tmp_path: Path) -> None:
        for number, lacking in enumerate(self.named):
            (folder := tmp_path / str(number)).mkdir()
            assert lacking in self.configuration
            agent = self.configured(folder, self.configuration.replace(lacking, "elsewhere"))
            with pytest.raises(AgentConfigError, match=r"names no .*: put in the folders"):
                agent.check()

    def test_a_folder_of_positions_that_is_not_mounted_is_told(self, tmp_path: Path) -> None:
        if self.positions is not None:
            setting, default = self.positions
            absent: dict[str, Any] = {setting: tmp_path / "absent" / default.name}
            with pytest.raises(AgentConfigError, match=r"/absent is no folder: mount the one"):
                self.make_agent(tmp_path, **absent).check()

    def test_the_package_prints_its_configuration(self) -> None:
        command = [sys.executable, "-m", f"kube_log_watcher_{self.name}"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == self.configuration

    @pytest.mark.parametrize("count", [110, 1000])
    def test_a_change_costs_one_file(self, tmp_path: Path, count: int) -> None:
        agent, disk = self.make_agent(tmp_path), CountingDisk()
        agent.use_disk(disk)
        targets = [spooled(number) for number in range(count)]
        agent.sync(targets)
        disk.steps = 0
        agent.sync([spooled(0, {"version": "2"}), *targets[1:]])
        assert disk.steps <= FEW_STEPS
