"""The fake node leaves what real runtimes and kubelets leave."""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path

import pytest

from kube_log_watcher_core.models import Layout
from kube_log_watcher_testing.fake_node import FakeNode, pod_uid


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def docker(tmp_path: Path) -> FakeNode:
    return FakeNode(tmp_path, Layout.DOCKER, clock=itertools.count(1795336044).__next__)


@pytest.fixture
def cri(tmp_path: Path) -> FakeNode:
    return FakeNode(tmp_path, Layout.CRI, clock=itertools.count(1795336044).__next__)


def test_docker_has_a_folder_per_container(docker: FakeNode) -> None:
    made = docker.add(pod="web", namespace="shop", container="app", labels={"extra": "1"})
    assert names(docker.containers_path / made.id) == {
        "checkpoints",
        "config.v2.json",
        "hostconfig.json",
        f"{made.id}-json.log",
    }
    config = json.loads(made.log.with_name("config.v2.json").read_text())
    assert config["LogPath"] == str(made.log)
    assert config["State"]["Running"] is True
    assert config["Config"]["Labels"]["io.kubernetes.pod.namespace"] == "shop"
    assert config["Config"]["Labels"]["extra"] == "1"


def test_docker_tells_no_log_before_the_start(docker: FakeNode) -> None:
    made = docker.add(pod="web", started=False)
    assert not made.log.exists()
    assert json.loads(made.log.with_name("config.v2.json").read_text())["LogPath"] == ""


def test_docker_lines_are_json(docker: FakeNode) -> None:
    made = docker.add(pod="web")
    docker.write(made, "one", 'two "quoted"')
    lines = [json.loads(line) for line in made.log.read_text().splitlines()]
    assert [line["log"] for line in lines] == ["one\n", 'two "quoted"\n']
    assert lines[0]["time"] == "2026-11-22T08:27:24.000000Z"


def test_docker_rotates_in_a_chain(docker: FakeNode) -> None:
    made = docker.add(pod="web")
    for text in ("one", "two", "three"):
        docker.write(made, text)
        docker.rotate(made)
    assert made.log.read_text() == ""
    assert "three" in Path(f"{made.log}.1").read_text()
    assert "two" in Path(f"{made.log}.2").read_text()


def test_a_sandbox_is_dockers_alone(docker: FakeNode, cri: FakeNode) -> None:
    config = docker.add_pause(pod="web").log.with_name("config.v2.json")
    assert json.loads(config.read_text())["Config"]["Labels"]["io.kubernetes.docker.type"] == "podsandbox"
    with pytest.raises(ValueError, match="Docker"):
        cri.add_pause(pod="web")


def test_cri_has_folders_and_a_link(cri: FakeNode, tmp_path: Path) -> None:
    made = cri.add(pod="web", namespace="shop", container="app")
    uid = pod_uid(namespace="shop", pod="web")
    assert made.log == tmp_path / "pods" / f"shop_web_{uid}" / "app" / "0.log"
    assert made.link == tmp_path / "containers" / f"web_shop_app-{made.id}.log"
    assert made.link.resolve() == made.log


def test_a_link_whose_name_is_too_long_is_cut(cri: FakeNode) -> None:
    made = cri.add(pod="x" * 180, container="container")
    assert made.link is not None
    assert made.link.is_symlink()
    assert made.id not in made.link.name


def test_cri_lines_have_a_stream_and_a_tag(cri: FakeNode) -> None:
    made = cri.add(pod="web")
    cri.write(made, "one")
    assert made.log.read_text() == "2026-11-22T08:27:24.000000Z stdout F one\n"


def test_cri_compresses_on_the_next_rotation(cri: FakeNode) -> None:
    made = cri.add(pod="web")
    for text in ("one", "two"):
        cri.write(made, text)
        cri.rotate(made)
    assert names(made.log.parent) == {"0.log", "0.log.20261122-082725.gz", "0.log.20261122-082727"}
    assert b"one" in gzip.decompress(made.log.with_name("0.log.20261122-082725.gz").read_bytes())


@pytest.mark.parametrize("layout", Layout)
def test_a_restart_is_a_new_container_beside_the_old(tmp_path: Path, layout: Layout) -> None:
    node = FakeNode(tmp_path, layout)
    first = node.add(pod="web", labels={"extra": "1"})
    second = node.restart(first)
    assert (second.restart, second.uid, second.labels) == (1, first.uid, first.labels)
    assert second.id != first.id
    assert first.log.exists()
    assert second.log.exists()


@pytest.mark.parametrize("layout", Layout)
def test_removal_leaves_nothing(tmp_path: Path, layout: Layout) -> None:
    node = FakeNode(tmp_path, layout)
    made, sidecar = node.add(pod="web"), node.add(pod="web", container="sidecar")
    node.rotate(made)
    node.remove(made)
    assert sidecar.log.exists()
    node.remove(sidecar)
    assert names(node.containers_path) == set()
    assert not any(path.is_symlink() or path.is_file() for path in tmp_path.rglob("*"))
