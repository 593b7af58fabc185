"""The file as Prometheus and Alloy are given it, its settings, and what check says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import AgentConfigError, Layout, LogTarget, NodeContext
from kube_log_watcher_core.settings import Sources, load
from kube_log_watcher_filesd import FilesdAgent, FilesdSettings
from kube_log_watcher_testing.contract.disks import CountingDisk
from kube_log_watcher_testing.factories import make_container, make_target

GOLDEN = Path(__file__).parent.parent / "data" / "filesd" / "kube-log-watcher.json"
STATIC = "kube_log_watcher_filesd"
SPOOL = "/var/log/kube-log-watcher/spool"
FEW_STEPS = 6
"""On the disk for one file: open its folder, read and write it, and settle the folder."""


def spooled(number: int, **labels: str) -> LogTarget:
    container = attrs.evolve(make_container(number, layout=Layout.CRI), spool=Path(SPOOL))
    target = make_target(
        container,
        labels={"application": "shop", "app.kubernetes.io/name": "shop", **labels},
        annotations={"team": "blue", "private": "x"},
        labels_as_attributes=("tier",),
    )
    return attrs.evolve(target, pattern=f"{SPOOL}/default_shop-1_uid-{number}/main-{target.id}.*.log")


class Counting(FilesdAgent):
    made = 0

    def value(self, target: LogTarget) -> Mapping[str, str]:
        self.made += 1
        return super().value(target)


def make_agent(folder: Path, **settings: Path) -> FilesdAgent:
    return FilesdAgent(FilesdSettings(folder=folder, annotations=("team",), **settings), NodeContext())


def test_the_file_is_as_it_was_looked_at(tmp_path: Path) -> None:
    """A reviewer looks at tests/data/filesd: write it anew where it has to change."""
    make_agent(tmp_path).sync([spooled(1, tier="front", version="1.10"), make_target(make_container(2))])
    assert (tmp_path / "kube-log-watcher.json").read_text() == GOLDEN.read_text()


def test_a_log_whose_pod_asks_for_redaction_has_no_target(tmp_path: Path) -> None:
    annotation = {"kubernetes-log-watcher/scalyr-redaction-rules": '[{"match_expression": "a"}]'}
    agent = make_agent(tmp_path)
    asking, plain = make_target(annotations=annotation), make_target(make_container(2))
    agent.sync([asking, plain])
    groups = json.loads((tmp_path / "kube-log-watcher.json").read_text())
    assert [group["labels"]["__path__"] for group in groups] == [plain.pattern]
    assert [(it.target, it.holds) for it in agent.objections()] == [(asking, True)]


def test_without_logs_it_is_an_empty_list(tmp_path: Path) -> None:
    make_agent(tmp_path).sync([])
    assert json.loads((tmp_path / "kube-log-watcher.json").read_text()) == []


@pytest.mark.parametrize("count", [110, 1000])
def test_a_change_costs_one_group_and_one_file(tmp_path: Path, count: int) -> None:
    agent, disk = Counting(FilesdSettings(folder=tmp_path), NodeContext()), CountingDisk()
    agent.use_disk(disk)
    targets = [spooled(number) for number in range(count)]
    agent.sync(targets)
    agent.made, disk.steps = 0, 0
    agent.sync([spooled(0, version="2"), *targets[1:]])
    assert agent.made == 1
    assert disk.steps <= FEW_STEPS


def test_nothing_is_needed_but_the_folder() -> None:
    settings = load(
        FilesdSettings, Sources(environ={"WATCHER_FILESD_FOLDER": "/x"}), section="filesd"
    ).unwrap()
    assert settings == FilesdSettings(folder=Path("/x"))


def test_it_works_without_a_spool(tmp_path: Path) -> None:
    make_agent(tmp_path).check()


@pytest.mark.parametrize(
    ("setting", "content", "said"),
    [
        ("positions", None, "is no folder: mount the one in which the shipper keeps its positions"),
        ("positions", "- a", r"can't be read as the shipper's positions .*: name another file, or none"),
        ("config", None, "can't be read: .*: mount it, or leave the setting away"),
        ("config", '// files = ["{folder}/*.json"]', "names no {folder}: put in the folders"),
    ],
)
def test_what_is_wrong_on_the_shippers_side_is_told_with_the_remedy(
    tmp_path: Path, setting: str, content: str | None, said: str
) -> None:
    path = tmp_path / ("absent" if content is None else "") / "file"
    if content is not None:
        path.write_text(content.replace("{folder}", str(tmp_path)))
    with pytest.raises(AgentConfigError, match=said.replace("{folder}", str(tmp_path))):
        make_agent(tmp_path, **{setting: path}).check()


def test_positions_that_the_shipper_has_not_begun_yet_are_no_fault(tmp_path: Path) -> None:
    make_agent(tmp_path, positions=tmp_path / "positions.yml").check()


def test_the_shipped_configuration_names_the_folder_of_the_manual(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", STATIC], capture_output=True, text=True, check=True, timeout=60
    )
    config = tmp_path / "config.alloy"
    config.write_text(done.stdout)
    folder = tmp_path / "filesd"
    folder.mkdir()
    config.write_text(done.stdout.replace("/var/log/kube-log-watcher/filesd", str(folder)))
    assert config.read_text() != done.stdout
    make_agent(folder, config=config).check()


def test_the_distribution_offers_the_agent_under_its_name() -> None:
    (found,) = entry_points(group="kube_log_watcher.agents", name="filesd")
    assert found.load() is FilesdAgent
