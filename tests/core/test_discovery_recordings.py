"""Listings of a real kubelet and a real Docker engine, made again on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from discovery_support import DATA, Containers, Discover, discoveries, obstacle_of, rebuild, stages
from kube_log_watcher_core.models import Container, Reason

KUBELET = stages("layout-stages.txt")
DOCKER = stages("docker-layout-stages.txt")
LONG = "very-long-pod-name-" + "x" * 170 + "-0123456789"
PAUSE_ID = "4f42f8a4b467b2d5a82f87c760ee5085fbaeae930a766491758191b21160ddb0"
APP_ID = "9f1e0b5d933394182f6198bc3f117880c1a27a42c676ade7d40ddf560319cf3c"

STEADY = {
    "default/cni-pod/app/0": "40b36e5c",
    "shop/long/long/0": "0776e985",
    "shop/native-sidecar/app/0": "e1e0a892",
    "shop/native-sidecar/proxy/0": "fb116878",
    "shop/spam/spam/0": "f2173236",
}
EXPECTED: dict[str, dict[str, str | None]] = {
    "00 before": {},
    # a killed container beside its successor, an ephemeral and an init container, a static pod, a done job
    "05 app restarted": {
        **STEADY,
        "default/static-web-real-node/web/0": "bd738d2e",
        "default/LONG/container-with-a-rather-long-name-for-the-symlink-test/0": None,
        "shop/chatty/app/0": "0e15b9a4",
        "shop/chatty/app/1": "1faf8b9c",
        "shop/chatty/debugger/0": "76d38ad8",
        "shop/chatty/init/0": "f577a149",
        "shop/chatty/side/0": "50cfa8c7",
        "shop/crasher/boom/1": "aeae05c6",
        "shop/job-1/job/0": "9e938974",
    },
    "10 static changed": {
        **STEADY,
        "default/static-web-real-node/web/0": "cf4e8cb3",
        "default/LONG/container-with-a-rather-long-name-for-the-symlink-test/0": None,
        "shop/crasher/boom/3": "faaa8f0a",
    },
    # old links beside new ones; the over-long one still points at 0.log
    "06 after stop.sh + start (all containers killed, like a node reboot; logs and etcd kept)": {
        "default/cni-pod/app/0": "40b36e5c",
        "default/cni-pod/app/1": "bc6265ac",
        "default/LONG/container-with-a-rather-long-name-for-the-symlink-test/0": None,
        "default/LONG/container-with-a-rather-long-name-for-the-symlink-test/1": None,
        "shop/crasher/boom/14": "d39b8b60",
        "shop/deadline/app/0": "294185c8",
        "shop/long/long/0": "0776e985",
        "shop/long/long/1": "b99d7ba3",
        "shop/native-sidecar/app/2": "91dd2879",
        "shop/native-sidecar/app/3": "3d642dcb",
        "shop/native-sidecar/proxy/1": "366f0f67",
        "shop/spam/spam/0": "f2173236",
        "shop/spam/spam/1": "2765e2d9",
    },
}


@pytest.fixture
def discover() -> Iterator[Discover]:
    with discoveries() as made:
        yield made


def short(container: Container) -> str:
    pod = "LONG" if container.pod_name == LONG else container.pod_name
    return f"{container.namespace}/{pod}/{container.name}/{container.restart_count}"


def ids(containers: Containers) -> dict[str, str | None]:
    return {short(one): one.id[:8] if one.id else None for one in containers}


@pytest.mark.parametrize("folder", ["pods", "containers"])
@pytest.mark.parametrize("stage", EXPECTED)
def test_a_recorded_node_shows_its_containers(
    discover: Discover, tmp_path: Path, folder: str, stage: str
) -> None:
    """The pods' folders and the links beside them tell the same."""
    rebuild(KUBELET[stage], below="/var/log", root=tmp_path)
    found = discover(tmp_path / folder).scan()
    assert ids(found) == EXPECTED[stage]
    assert [one.obstacle for one in found] == [None] * len(found)
    assert all(one.log_path and one.log_path.is_file() for one in found)


def test_a_static_pods_uid_is_its_configurations_hash(discover: Discover, tmp_path: Path) -> None:
    rebuild(KUBELET["10 static changed"], below="/var/log", root=tmp_path)
    uids = {one.pod_name: one.pod_uid for one in discover(tmp_path / "pods").scan()}
    assert uids["static-web-real-node"] == "6ef67d4297fbc9c7135b2e77d4eb7094"


def docker_stage(root: Path, stage: str) -> Path:
    rebuild(DOCKER[stage], below="/var/lib/docker", root=root)
    recorded = {PAUSE_ID: "config.v2.pause.running.json", APP_ID: "config.v2.running.json"}
    for container_id, file in recorded.items():
        config = root / "containers" / container_id / "config.v2.json"
        if config.exists():
            config.write_bytes((DATA / file).read_bytes())
    return root / "containers"


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("pause created, not started", {PAUSE_ID: Reason.PAUSE}),
        ("app created, not started", {PAUSE_ID: Reason.PAUSE, APP_ID: Reason.NO_LOG}),
        ("app started, rotated", {PAUSE_ID: Reason.PAUSE, APP_ID: None}),
        ("app restarted", {PAUSE_ID: Reason.PAUSE, APP_ID: None}),
        ("app stopped", {PAUSE_ID: Reason.PAUSE, APP_ID: None}),
        ("app removed", {PAUSE_ID: Reason.PAUSE}),
        ("pause removed", {}),
    ],
)
def test_a_recorded_engine_shows_its_containers(
    discover: Discover, tmp_path: Path, stage: str, expected: dict[str, Reason | None]
) -> None:
    found = discover(docker_stage(tmp_path, stage)).scan()
    assert {one.key: obstacle_of(one).reason if one.obstacle else None for one in found} == expected
