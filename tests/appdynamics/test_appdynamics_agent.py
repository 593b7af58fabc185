"""The agent on a real folder."""

from __future__ import annotations

import stat
import tempfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_support import container_id, identities, make_target, tree
from kube_log_watcher_appdynamics import AppDynamicsAgent, AppDynamicsSettings
from kube_log_watcher_core import AgentConfigError, NodeContext


def agent(folder: Path) -> AppDynamicsAgent:
    return AppDynamicsAgent(AppDynamicsSettings(dest_path=folder), NodeContext())


def name(number: int) -> str:
    return f"container-{container_id(number)}-jobfile.job"


def test_each_target_has_a_job_file_named_by_its_container(tmp_path: Path) -> None:
    agent(tmp_path).sync([make_target(1), make_target(2)])
    assert tree(tmp_path).keys() == {name(1), name(2)}


def test_job_files_can_be_read_by_the_analytics_agent_whoever_it_runs_as(tmp_path: Path) -> None:
    agent(tmp_path).sync([make_target(1)])
    assert stat.S_IMODE((tmp_path / name(1)).stat().st_mode) == 0o644


def test_a_changed_label_reaches_its_file_and_no_other(tmp_path: Path) -> None:
    watcher = agent(tmp_path)
    watcher.sync([make_target(1), make_target(2)])
    before = identities(tmp_path)
    watcher.sync([make_target(1), make_target(2, labels={"application": "cart", "version": "v8"})])
    after = identities(tmp_path)
    assert after[name(1)] == before[name(1)]
    assert yaml.safe_load((tmp_path / name(2)).read_text())["fields"]["application_version"] == "v8"


def test_a_gone_container_takes_its_file_along(tmp_path: Path) -> None:
    watcher = agent(tmp_path)
    watcher.sync([make_target(1), make_target(2)])
    watcher.sync([make_target(2)])
    assert tree(tmp_path).keys() == {name(2)}


def test_a_second_sync_and_a_full_comparison_touch_nothing(tmp_path: Path) -> None:
    watcher = agent(tmp_path)
    watcher.sync([make_target(1), make_target(2)])
    before = identities(tmp_path)
    watcher.sync([make_target(1), make_target(2)])
    watcher.sync([make_target(1), make_target(2)])
    agent(tmp_path).sync([make_target(1), make_target(2)])
    assert identities(tmp_path) == before


def test_a_damaged_file_is_put_right_by_the_next_full_pass(tmp_path: Path) -> None:
    watcher = agent(tmp_path)
    watcher.sync([make_target(1)])
    right = (tmp_path / name(1)).read_bytes()
    (tmp_path / name(1)).write_text("enabled: false")
    watcher.sync([make_target(1)])
    assert (tmp_path / name(1)).read_bytes() == right


FOREIGN = ("sample-glassfish-log.job", "container-web-jobfile.job", "container-0123-jobfile.job", "README")


def test_a_restart_removes_what_is_stale_and_ours_and_no_job_of_others(tmp_path: Path) -> None:
    for foreign in FOREIGN:
        (tmp_path / foreign).write_text("version: 2")
    (tmp_path / name(7)).write_text("version: 2 # of an earlier version of the watcher")
    (tmp_path / f".{name(8)}.0123abcd.klw-tmp").write_text("half a f")
    agent(tmp_path).sync([make_target(1)])
    assert tree(tmp_path).keys() == {name(1), *FOREIGN}


TEXTS = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["../../../etc/passwd", "/", "..", "a\0b", ""]
)


@settings(deadline=None)
@given(labels=st.dictionaries(TEXTS | st.sampled_from(["application", "version"]), TEXTS), text=TEXTS)
def test_hostile_labels_and_names_touch_nothing_outside_their_own_file(
    labels: dict[str, str], text: str
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        dest = Path(scratch) / "job"
        dest.mkdir()
        (dest / "foreign.job").write_text("foreign")
        (Path(scratch) / "beside").write_text("beside")
        target = make_target(3, labels=labels, attributes=labels, pod=text, namespace=text, name=text)
        agent(dest).sync([make_target(1), target])
        found = tree(Path(scratch))
        assert found.keys() == {"beside", "job", "job/foreign.job", f"job/{name(1)}", f"job/{name(3)}"}
        assert (found["beside"], found["job/foreign.job"]) == (b"beside", b"foreign")


def test_a_missing_folder_is_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(AgentConfigError, match=r"/absent is no folder: create it, or mount it"):
        agent(tmp_path / "absent").check()


def test_a_check_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / name(7)).write_text("stale")
    before = identities(tmp_path)
    agent(tmp_path).check()
    assert identities(tmp_path) == before


def test_the_distribution_offers_the_agent_under_its_name() -> None:
    (found,) = entry_points(group="kube_log_watcher.agents", name=AppDynamicsAgent.name)
    assert found.load() is AppDynamicsAgent
