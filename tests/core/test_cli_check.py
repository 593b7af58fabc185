"""``check``: what is missing, and what would put it right."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_support import KEY, Place, clean_environ, in_terminal, place, run_cli
from kube_log_watcher_core.cli.check_node import check_inotify, check_roots
from kube_log_watcher_core.cli.findings import Finding, Level
from kube_log_watcher_core.discovery import NodePaths
from kube_log_watcher_core.models import Container, Layout
from kube_log_watcher_testing.fake_api import Refuse
from kube_log_watcher_testing.fake_node import FakeNode


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path) as made:
        made.environ["WATCHER_STATE_DIR"] = str(tmp_path / "state")
        (tmp_path / "state").mkdir()
        yield made


def test_where_all_is_well_it_says_so_and_writes_nothing(here: Place, tmp_path: Path) -> None:
    here.add("shop-1")
    before = {path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts}
    done = run_cli("check", environ=here.environ)
    assert done.returncode == 0, done.stdout
    assert "fail" not in {line.split()[0] for line in done.stdout.splitlines()}
    for subject in ("settings", "agents", "containers", "log roots", "state", "node name", "API", "inotify"):
        assert f"ok    {subject}: " in done.stdout
    assert "we may list pods" in done.stdout
    assert "we may watch pods" in done.stdout
    assert {path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts} == before
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize("may", [True, False])
def test_the_rights_that_events_need_are_looked_at_and_no_event_is_made(here: Place, may: bool) -> None:
    if not may:
        here.api.forbid("patch")
    done = run_cli("check", environ={**here.environ, "WATCHER_EVENTS": "true"})
    assert "ok    API: we may create Events" in done.stdout
    assert ("ok    API: we may patch Events" in done.stdout) is may
    assert ("verbs: [create, patch]" in done.stdout) is not may
    assert here.api.events == {}


def test_wrong_settings_are_each_a_failure(tmp_path: Path) -> None:
    done = run_cli("check", environ=clean_environ(tmp_path, WATCHER_INTERVAL="soon"))
    assert done.returncode == 78
    assert (
        "fail  settings: WATCHER_INTERVAL='soon' (environment)\n      expected a number of seconds"
        in done.stdout
    )
    assert "fail  settings: WATCHER_AGENTS (required, not set)" in done.stdout


def test_a_missing_folder_of_an_agent_is_named_with_its_variable(here: Place) -> None:
    here.folder.rmdir()
    done = run_cli("check", environ=here.environ)
    assert done.returncode == 78
    assert "fail  agents: agent lister: " in done.stdout
    assert f"WATCHER_LISTER_FOLDER={here.folder}" in done.stdout


def test_a_missing_containers_folder_is_named_with_its_variable(here: Place) -> None:
    done = run_cli("check", "-c", "/nowhere/containers", environ=here.environ)
    assert done.returncode == 1
    assert "fail  containers: WATCHER_CONTAINERS_PATH=/nowhere/containers: " in done.stdout
    assert "mount the node's folder of containers" in done.stdout


def test_a_log_that_lies_outside_the_roots_is_told(here: Place, tmp_path: Path) -> None:
    node = FakeNode(tmp_path / "cri", Layout.CRI)
    container = node.add(pod="shop-1")
    container.log.unlink()
    container.log.symlink_to(tmp_path / "elsewhere.log")
    (tmp_path / "elsewhere.log").touch()
    done = run_cli("check", "-c", str(node.containers_path), environ=here.environ)
    assert "warn  containers: 1 can't be followed: outside-log-roots" in done.stdout
    assert "for example: " in done.stdout


@pytest.mark.parametrize("verb", ["list", "watch"])
def test_a_missing_right_is_named_with_the_rule_that_grants_it(here: Place, verb: str) -> None:
    here.api.forbid(verb)
    done = run_cli("check", environ=here.environ)
    assert done.returncode == 1
    assert f"fail  API: {verb} pods: 403" in done.stdout
    assert "verbs: [get, list, watch]" in done.stdout


def test_a_token_that_is_refused_is_told(here: Place) -> None:
    here.api.fail(Refuse(401), times=None)
    done = run_cli("check", environ=here.environ)
    assert done.returncode == 1
    assert "fail  API: list pods: 401" in done.stdout
    assert "look at the token" in done.stdout


def test_an_api_that_does_not_answer_is_told(here: Place) -> None:
    here.api.stop()
    done = run_cli("check", environ=here.environ)
    assert done.returncode == 1
    assert f"fail  API: {here.api.url}: list pods: no answer" in done.stdout
    assert f"is the proxy of WATCHER_KUBE_URL={here.api.url} running" in done.stdout


def test_a_missing_service_account_is_told(here: Place) -> None:
    del here.environ["WATCHER_KUBE_URL"]
    done = run_cli("check", environ=here.environ)
    assert done.returncode == 1
    assert "/var/run/secrets/kubernetes.io/serviceaccount/token" in done.stdout
    assert "or set WATCHER_KUBE_URL" in done.stdout


def test_a_node_name_that_no_pod_has_is_doubted(here: Place) -> None:
    here.add("shop-1")
    done = run_cli("check", "--cluster-node-name", "other", environ=here.environ)
    assert done.returncode == 0
    assert "warn  API: no pod has spec.nodeName=other, but 1 containers are on disk" in done.stdout


def test_without_a_node_name_and_a_state_folder_it_only_warns(here: Place) -> None:
    del here.environ["CLUSTER_NODE_NAME"], here.environ["WATCHER_STATE_DIR"]
    done = run_cli("check", environ=here.environ)
    assert done.returncode == 0
    assert "warn  node name: CLUSTER_NODE_NAME is not set" in done.stdout
    assert "fieldRef: {fieldPath: spec.nodeName}" in done.stdout
    assert "warn  state: WATCHER_STATE_DIR is not set" in done.stdout


def test_a_state_folder_that_is_none_fails(here: Place, tmp_path: Path) -> None:
    done = run_cli("check", "--state-dir", str(tmp_path / "lister.py"), environ=here.environ)
    assert done.returncode == 1
    assert f"fail  state: WATCHER_STATE_DIR={tmp_path / 'lister.py'} is no folder" in done.stdout


def test_a_variable_that_means_nothing_is_a_warning(here: Place) -> None:
    done = run_cli("check", environ=here.environ | {"WATCHER_INTERVALL": "5"})
    assert done.returncode == 0
    assert "warn  settings: ignored, no such setting: WATCHER_INTERVALL" in done.stdout


def test_in_a_terminal_it_draws_a_table(tmp_path: Path) -> None:
    code, shown = in_terminal("check", environ=clean_environ(tmp_path, WATCHER_INTERVAL="soon"))
    assert code == 78
    assert "remedy" in shown
    assert "WATCHER_INTERVAL='soon' (environment)" in shown
    assert "\x1b[" in shown


def levels(findings: list[Finding]) -> list[Level]:
    return [finding.level for finding in findings]


def limits(folder: Path, *, watches: int, instances: int) -> Path:
    (folder / "max_user_watches").write_text(f"{watches}\n")
    (folder / "max_user_instances").write_text(f"{instances}\n")
    return folder


def test_limits_with_room_are_fine(tmp_path: Path) -> None:
    found = list(check_inotify([], limits=limits(tmp_path, watches=8192, instances=128)))
    assert levels(found) == [Level.OK]


def test_too_few_watches_are_told_with_the_number_needed(tmp_path: Path) -> None:
    containers = [Container(key=str(number), layout=Layout.CRI) for number in range(10)]
    found = list(check_inotify(containers, limits=limits(tmp_path, watches=40, instances=128)))
    assert levels(found) == [Level.WARN, Level.OK]
    assert "max_user_watches=40, expected at least 46" in found[0].text
    assert "sysctl -w fs.inotify.max_user_watches=" in found[0].remedy


def test_few_instances_are_told(tmp_path: Path) -> None:
    found = list(check_inotify([], limits=limits(tmp_path, watches=8192, instances=8)))
    assert levels(found) == [Level.WARN]
    assert "max_user_instances=8" in found[0].text


def test_limits_that_cannot_be_read_are_no_fault(tmp_path: Path) -> None:
    assert levels(list(check_inotify([], limits=tmp_path / "missing"))) == [Level.OK]


def test_nobody_misses_a_default_root(tmp_path: Path) -> None:
    paths = NodePaths(containers=tmp_path, layout="auto", roots=(tmp_path, tmp_path / "missing"))
    assert levels(list(check_roots(paths, named=False))) == [Level.OK]
    assert levels(list(check_roots(paths, named=True))) == [Level.FAIL, Level.OK]


def test_a_spool_is_tried_with_a_link_that_is_removed(here: Place, tmp_path: Path) -> None:
    here.add("shop-1")
    spool = tmp_path / "spool"
    spool.mkdir()
    done = run_cli("check", environ={**here.environ, "WATCHER_SPOOL_DIR": str(spool)})
    assert done.returncode == 0, done.stdout
    assert f"was made in {spool}, and removed" in done.stdout
    assert list(spool.iterdir()) == []


def test_a_spool_on_another_mount_fails_and_names_the_remedy(here: Place) -> None:
    here.add("shop-1")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if os.stat(other).st_dev == here.folder.stat().st_dev:
            pytest.skip("no second file system is there")
        done = run_cli("check", environ={**here.environ, "WATCHER_SPOOL_DIR": other})
        assert list(Path(other).iterdir()) == []
    assert done.returncode == 1
    assert "can't be linked there" in done.stdout
    assert "mount the node's /var/log as one volume" in done.stdout


@pytest.mark.parametrize("is_any_log", [True, False])
def test_a_spool_that_is_not_there_fails(here: Place, tmp_path: Path, *, is_any_log: bool) -> None:
    if is_any_log:
        here.add("shop-1")
    done = run_cli("check", environ={**here.environ, "WATCHER_SPOOL_DIR": str(tmp_path / "none")})
    assert done.returncode == 1
    assert "create the folder" in done.stdout
