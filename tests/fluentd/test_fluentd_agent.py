"""The files as Fluentd is given them, its settings, and what check says."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import attrs
import pytest

from fluentd_process import shipped_configuration
from kube_log_watcher_core import AgentConfigError, Layout, LogTarget, NodeContext
from kube_log_watcher_core.errors import PartlyFailed
from kube_log_watcher_core.settings import Sources, load
from kube_log_watcher_fluentd import FluentdAgent, FluentdSettings
from kube_log_watcher_testing.contract.disks import CountingDisk
from kube_log_watcher_testing.factories import container_id, make_container, make_target

DATA = Path(__file__).parent.parent / "data" / "fluentd"
SPOOL = Path("/var/log/kube-log-watcher/spool")
FEW_STEPS = 6
"""On the disk for one file: open its folder, read and write it, and settle the folder."""


def spooled(number: int, *, annotations: dict[str, str] | None = None, **labels: str) -> LogTarget:
    container = attrs.evolve(make_container(number, layout=Layout.CRI), spool=SPOOL)
    labels = {"application": "shop", "note": "#{1+1} ${tag}", **labels}
    return make_target(container, labels=labels, annotations=annotations)


def make_agent(folder: Path, **settings: Path) -> FluentdAgent:
    node = NodeContext(has_spool=True, spool_dirs=(SPOOL,))
    return FluentdAgent(FluentdSettings(folder=folder, annotations=("team",), **settings), node)


def test_a_file_is_as_it_was_looked_at(tmp_path: Path) -> None:
    """A reviewer looks at tests/data/fluentd: write it anew where it has to change."""
    make_agent(tmp_path).sync([spooled(1, annotations={"team": "blue", "private": "x"})])
    (written,) = tmp_path.iterdir()
    assert written.name == f"{container_id(1)}.json"
    assert written.read_text() == (DATA / "metadata.json").read_text()


@pytest.mark.parametrize("count", [110, 1000])
def test_a_change_costs_one_file(tmp_path: Path, count: int) -> None:
    agent, disk = make_agent(tmp_path), CountingDisk()
    agent.use_disk(disk)
    targets = [spooled(number) for number in range(count)]
    agent.sync(targets)
    disk.steps = 0
    agent.sync([spooled(0, version="2"), *targets[1:]])
    assert disk.steps <= FEW_STEPS


def test_a_log_is_shown_when_its_own_file_is_on_the_disk(tmp_path: Path) -> None:
    agent, targets = make_agent(tmp_path), [spooled(1), spooled(2)]
    agent.sync(targets)
    assert list(agent.ready(targets)) == targets


def test_a_log_whose_file_can_not_be_written_waits_alone(tmp_path: Path) -> None:
    agent, targets = make_agent(tmp_path), [spooled(1), spooled(2)]
    (tmp_path / f"{container_id(1)}.json").mkdir()
    with pytest.raises(PartlyFailed):
        agent.sync(targets)
    assert list(agent.ready(targets)) == targets[1:]


def test_nothing_is_needed_but_the_folder() -> None:
    environ = {"WATCHER_FLUENTD_FOLDER": "/x"}
    settings = load(FluentdSettings, Sources(environ=environ), section="fluentd").unwrap()
    assert settings == FluentdSettings(folder=Path("/x"))


def test_without_a_spool_check_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(AgentConfigError, match="WATCHER_SPOOL_DIR"):
        FluentdAgent(FluentdSettings(folder=tmp_path), NodeContext()).check()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Give the shipped configuration, for a folder of the test's."""
    config = tmp_path / "fluent.conf"
    text = shipped_configuration().replace("/var/lib/fluentd", str(tmp_path / "state"))
    config.write_text(text.replace("/var/log/kube-log-watcher/fluentd", str(tmp_path / "metadata")))
    return config


def configured(config: Path) -> FluentdAgent:
    """Make an agent of the folders in a configuration."""
    folder, state = config.parent / "metadata", config.parent / "state"
    for each in (folder, state):
        each.mkdir()
    return make_agent(folder, config=config, pos_file=state / "klw.pos")


def test_the_shipped_configuration_names_all_that_it_has_to(config: Path) -> None:
    configured(config).check()


@pytest.mark.parametrize("lacking", [str(SPOOL), "/metadata/", "/state/"])
def test_what_the_configuration_does_not_name_is_told(config: Path, lacking: str) -> None:
    text = config.read_text()
    config.write_text(text.replace(lacking, "/elsewhere/"))
    assert config.read_text() != text
    with pytest.raises(AgentConfigError, match=r"names no .*: put in the folders"):
        configured(config).check()


def test_a_pos_file_that_is_not_mounted_is_told(tmp_path: Path) -> None:
    with pytest.raises(AgentConfigError, match=r"/absent is no folder: mount the one .* \(klw.pos\)"):
        make_agent(tmp_path, pos_file=tmp_path / "absent" / "klw.pos").check()


def test_the_package_prints_its_configuration() -> None:
    command = [sys.executable, "-m", "kube_log_watcher_fluentd"]
    assert (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout == shipped_configuration()
    )


def test_the_distribution_offers_the_agent_under_its_name() -> None:
    (found,) = entry_points(group="kube_log_watcher.agents", name="fluentd")
    assert found.load() is FluentdAgent
