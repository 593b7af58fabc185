"""What is read from Docker's config.v2.json."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery_support import DATA
from kube_log_watcher_core.discovery.config_v2 import (
    CONTAINER_NAME,
    CONTAINER_TYPE,
    POD_NAME,
    POD_NAMESPACE,
    RESTART_COUNT,
    BrokenConfig,
    DockerConfig,
    is_pause,
    parse_config,
)
from kube_log_watcher_core.models import Reason

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
KUBERNETES = {POD_NAME: "web-1", POD_NAMESPACE: "default", CONTAINER_NAME: "app"}


def parse_or_broken(content: bytes) -> DockerConfig | None:
    try:
        return parse_config(content)
    except BrokenConfig:
        return None


def config(**content: Any) -> bytes:
    return json.dumps({"Config": {"Labels": KUBERNETES, "Image": "app:1"}, **content}).encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_called_broken(content: bytes) -> None:
    parse_or_broken(content)


@given(JSON, JSON, JSON, JSON)
def test_any_types_are_read_or_called_broken(labels: Any, image: Any, created: Any, label: Any) -> None:
    odd: list[Any] = [
        labels,
        {"Config": labels},
        {"Config": {"Labels": labels, "Image": image}, "Created": created},
        {"Config": {"Labels": {POD_NAME: label}, "Image": "app"}},
    ]
    for document in odd:
        parse_or_broken(json.dumps(document).encode())


@given(st.integers(0, 2918))
def test_a_config_cut_anywhere_is_broken(length: int) -> None:
    with pytest.raises(BrokenConfig):
        parse_config((DATA / "config.v2.running.json").read_bytes()[:length])


def test_a_recorded_config_gives_all_that_is_needed() -> None:
    read = parse_config((DATA / "config.v2.running.json").read_bytes())
    assert (read.labels[POD_NAMESPACE], read.labels[POD_NAME]) == ("default", "web-1")
    assert read.labels[CONTAINER_NAME] == "app"
    assert read.labels["io.kubernetes.pod.uid"] == "5a2c9f7e-0d8b-4c57-9f4e-2f6f1c3a7b11"
    assert (read.image, read.restart_count, read.obstacle) == ("local/app:1", 0, None)
    assert read.created == pytest.approx(1795336044.783, abs=0.01)


def test_a_recorded_sandbox_is_a_pause_container() -> None:
    obstacle = parse_config((DATA / "config.v2.pause.running.json").read_bytes()).obstacle
    assert obstacle is not None
    assert obstacle.reason is Reason.PAUSE


def test_deep_nesting_is_broken_not_fatal() -> None:
    with pytest.raises(BrokenConfig, match="nested"):
        parse_config(b"[" * 1_000_000)


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff", b"null", b"[]", b'{"Config": []}', b'{"Config": {"Labels": 1}}']
)
def test_what_docker_does_not_write_is_broken(content: bytes) -> None:
    with pytest.raises(BrokenConfig):
        parse_config(content)


@pytest.mark.parametrize("value", [1, True, [], {}, "a\nb", "\ud800", "\x00"])
def test_a_name_that_is_not_plain_text_is_broken(value: Any) -> None:
    """All that follow print, hash and encode names."""
    document = {"Config": {"Labels": {**KUBERNETES, POD_NAME: value}}}
    with pytest.raises(BrokenConfig, match="not plain text"):
        parse_config(json.dumps(document).encode())


def test_labels_that_nobody_uses_may_be_anything() -> None:
    assert parse_config(config(Config={"Labels": {**KUBERNETES, "x": [1]}})).obstacle is None


@pytest.mark.parametrize("missing", [POD_NAME, POD_NAMESPACE, CONTAINER_NAME])
@pytest.mark.parametrize("value", [None, ""])
def test_a_label_of_kubernetes_that_is_missing_is_named(missing: str, value: str | None) -> None:
    obstacle = parse_config(config(Config={"Labels": {**KUBERNETES, missing: value}})).obstacle
    assert obstacle is not None
    assert obstacle.reason is Reason.NOT_KUBERNETES
    assert missing in obstacle.detail


def test_a_container_without_labels_is_not_kubernetes() -> None:
    obstacle = parse_config(config(Config={"Labels": None, "Image": "nginx"})).obstacle
    assert obstacle is not None
    assert obstacle.reason is Reason.NOT_KUBERNETES


@pytest.mark.parametrize(
    ("labels", "image", "expected"),
    [
        ({CONTAINER_TYPE: "podsandbox"}, "anything:1", True),
        ({CONTAINER_TYPE: "container"}, "k8s.gcr.io/pause:3.9", False),
        ({CONTAINER_TYPE: "container", CONTAINER_NAME: "POD"}, "anything:1", True),
        ({}, "k8s.gcr.io/pause:3.9", True),
        ({}, "registry:5000/google_containers/pause-amd64:3.0", True),
        ({}, "pause", True),
        ({}, "registry.k8s.io/pause@sha256:" + "0" * 64, True),
        ({}, "shop/pause-service:1", False),
        ({}, "shop/pausebutton:1", False),
        ({}, "pause.example.org/shop/web:1", False),
        ({}, "registry.example.org/pause/web", False),
        ({}, None, False),
    ],
)
def test_a_pause_container_is_known_by_what_it_is(
    labels: dict[str, str], image: str | None, *, expected: bool
) -> None:
    assert is_pause(labels, image) is expected


@pytest.mark.parametrize(("value", "expected"), [("3", 3), ("", 0), ("-1", 0), ("x", 0), ("9" * 5000, 0)])
def test_a_restart_count_is_a_number_or_nought(value: str, expected: int) -> None:
    assert DockerConfig(labels={RESTART_COUNT: value}).restart_count == expected
