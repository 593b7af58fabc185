"""Which path an entry names, and how often the file may change."""

from __future__ import annotations

from pathlib import Path

import pytest

from kube_log_watcher_core import AgentConfigError, NodeContext
from kube_log_watcher_scalyr import ScalyrAgent
from scalyr_support import a_target, an_agent, container_id, settings_in, synced


def test_by_default_an_entry_names_the_log_itself(tmp_path: Path) -> None:
    (entry,) = synced(tmp_path, a_target(1))["logs"]
    assert entry["path"] == str(a_target(1).log_path)


def test_with_linked_paths_an_entry_names_the_friendly_link(tmp_path: Path) -> None:
    """As a pattern in which nothing has a special meaning."""
    folder = tmp_path / "node[1]"
    folder.mkdir()
    (entry,) = synced(folder, a_target(1), linked_paths=True)["logs"]
    link = folder / "dest" / container_id(1) / "shop-v7.log"
    assert entry["path"] == str(link).replace("[", "[[]")
    assert link.readlink() == a_target(1).log_path


def test_changes_wait_a_little_longer_than_the_agent_takes_to_come_round(tmp_path: Path) -> None:
    assert an_agent(tmp_path).pacing.hold_seconds == 6.0
    assert an_agent(tmp_path, hold_seconds=1.0).pacing.hold_seconds == 1.0


@pytest.mark.parametrize("seconds", [0.0, 5.0, 30.0])
def test_the_pause_between_changes_is_the_write_interval(tmp_path: Path, seconds: float) -> None:
    assert an_agent(tmp_path, write_interval=seconds).pacing.pause_seconds == seconds


def test_the_agents_own_check_interval_is_in_the_file(tmp_path: Path) -> None:
    assert synced(tmp_path, config_check_interval=2.5)["config_change_check_interval"] == 2.5


def test_a_data_folder_that_is_not_there_is_named_with_a_remedy(tmp_path: Path) -> None:
    agent = ScalyrAgent(settings_in(tmp_path, data_path=tmp_path / "data"), NodeContext())
    with pytest.raises(AgentConfigError, match=r"WATCHER_SCALYR_DATA_PATH=.*mount"):
        agent.check()
    (tmp_path / "data").mkdir()
    agent.check()
