"""Where containers and logs are looked for."""

from __future__ import annotations

from pathlib import Path

from kube_log_watcher_core.discovery import default_roots, find_containers_path

PODS, DOCKER = Path("/var/log/pods"), Path("/var/lib/docker/containers")


def test_logs_may_lie_where_runtimes_put_them(tmp_path: Path) -> None:
    assert default_roots(tmp_path) == (tmp_path, PODS, DOCKER)


def test_no_root_is_named_twice() -> None:
    assert default_roots(DOCKER) == (DOCKER, PODS)


def test_a_folder_of_links_brings_the_pods_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pods").mkdir()
    assert default_roots(tmp_path / "containers") == (
        tmp_path / "containers",
        tmp_path / "pods",
        PODS,
        DOCKER,
    )
    assert tmp_path / "pods" not in default_roots(tmp_path / "docker")


def test_the_first_folder_that_is_there_is_taken(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    assert find_containers_path((tmp_path / "absent", there, tmp_path)) == there


def test_without_any_folder_the_first_name_stands(tmp_path: Path) -> None:
    assert find_containers_path((tmp_path / "a", tmp_path / "b")) == tmp_path / "a"
