"""The agent on a real folder, and its settings."""

from __future__ import annotations

import tempfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_support import container_id, identities, make_target, tree
from kube_log_watcher_core import AgentConfigError, LogTarget, NodeContext
from kube_log_watcher_core.errors import SettingsError
from kube_log_watcher_core.settings import Sources, load
from kube_log_watcher_symlinker import SymlinkerAgent, SymlinkerSettings, link_path


def agent(folder: Path) -> SymlinkerAgent:
    return SymlinkerAgent(SymlinkerSettings(symlink_dir=folder), NodeContext())


def links(folder: Path) -> dict[str, object]:
    return {name: target for name, target in tree(folder).items() if isinstance(target, str)}


def wanted(*targets: LogTarget) -> dict[str, object]:
    return {str(link_path(target)): str(target.log_path) for target in targets}


def test_each_target_has_a_link_to_its_log(tmp_path: Path) -> None:
    targets = make_target(1), make_target(2, pod="cart-1")
    agent(tmp_path).sync(targets)
    assert links(tmp_path) == wanted(*targets)


def test_the_tree_of_a_gone_container_goes(tmp_path: Path) -> None:
    watcher = agent(tmp_path)
    watcher.sync([make_target(1), make_target(2)])
    watcher.sync([make_target(2)])
    assert links(tmp_path) == wanted(make_target(2))
    assert not (tmp_path / container_id(1)).exists()


@pytest.mark.parametrize("restarted", [True, False])
def test_a_relabelled_pod_gets_its_new_link_instead_of_the_old(tmp_path: Path, *, restarted: bool) -> None:
    watcher = agent(tmp_path)
    watcher.sync([make_target(1)])
    target = make_target(1, labels={"application": "shop", "version": "v8"})
    (agent(tmp_path) if restarted else watcher).sync([target])
    assert links(tmp_path) == wanted(target)
    assert not (tmp_path / link_path(make_target(1))).parents[1].exists()


def test_links_of_an_earlier_life_go_and_all_else_stays(tmp_path: Path) -> None:
    stale = tmp_path / "deadbeef/x/x/default/production/v1/main/x-1.log"
    foreign = tmp_path / "lost+found/x/x/default/production/v1/main/x-1.log"
    for link in (stale, foreign):
        link.parent.mkdir(parents=True)
        link.symlink_to("/nonexistent/y.log")
    (tmp_path / "aaa-empty").mkdir()
    (tmp_path / "aaa-empty/keep.txt").write_text("x")
    (tmp_path / "cafe").symlink_to("/etc")
    agent(tmp_path).sync([make_target(1)])
    found = links(tmp_path)
    assert found == wanted(make_target(1)) | {
        "cafe": "/etc",
        str(foreign.relative_to(tmp_path)): "/nonexistent/y.log",
    }
    assert not (tmp_path / "deadbeef").exists()
    assert (tmp_path / "aaa-empty/keep.txt").exists()


def test_a_second_sync_and_a_full_comparison_touch_nothing(tmp_path: Path) -> None:
    watcher = agent(tmp_path)
    watcher.sync([make_target(1), make_target(2)])
    before = identities(tmp_path)
    watcher.sync([make_target(1), make_target(2)])
    watcher.sync([make_target(1), make_target(2)])
    agent(tmp_path).sync([make_target(1), make_target(2)])
    assert identities(tmp_path) == before


TEXTS = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["../" * 9 + "etc/passwd", "/", "..", ".", ""]
)


@settings(deadline=None)
@given(label=TEXTS, name=TEXTS)
def test_hostile_labels_and_names_touch_nothing_outside_their_own_folder(label: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        dest = Path(scratch) / "links"
        dest.mkdir()
        labels = dict.fromkeys(("application", "component", "version", "environment"), label)
        target = make_target(1, labels=labels, pod=name, namespace=name, name=name)
        agent(dest).sync([target])
        assert links(Path(scratch)) == {f"links/{path}": log for path, log in wanted(target).items()}
        agent(dest).sync([])
        assert tree(Path(scratch)) == {"links": None}


def test_a_missing_folder_is_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(AgentConfigError, match=r"/absent is no folder: create it, or mount it"):
        agent(tmp_path / "absent").check()


def read(sources: Sources) -> SymlinkerSettings:
    return load(SymlinkerSettings, sources, section="symlinker").unwrap()


def test_the_folder_comes_from_its_variable_or_the_section_of_the_yaml_file() -> None:
    environ = {"WATCHER_SYMLINK_DIR": "/mnt/links"}
    document = {"symlinker": {"symlink_dir": "/mnt/links"}}
    expected = SymlinkerSettings(symlink_dir=Path("/mnt/links"))
    assert read(Sources(environ=environ)) == read(Sources(document=document)) == expected


def test_without_the_folder_the_variable_is_told() -> None:
    with pytest.raises(SettingsError, match=r"WATCHER_SYMLINK_DIR \(required, not set\)"):
        read(Sources())


def test_the_distribution_offers_the_agent_under_its_name() -> None:
    (found,) = entry_points(group="kube_log_watcher.agents", name=SymlinkerAgent.name)
    assert found.load() is SymlinkerAgent
