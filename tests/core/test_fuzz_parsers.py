"""Parsers take any bytes: they give data that hold what they promise, or the one error that is theirs."""

from __future__ import annotations

import itertools
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fuzz_support import examples
from kube_log_watcher_core.annotations import PREFIX, NotTrueOrFalse, annotation_for, is_excluded
from kube_log_watcher_core.discovery.config_v2 import BrokenConfig, parse_config
from kube_log_watcher_core.discovery.names import (
    is_container_folder,
    parse_docker_log,
    parse_link_name,
    parse_pod_folder,
    parse_run_log,
    parse_run_path,
)
from kube_log_watcher_core.errors import ApiError, ServerError
from kube_log_watcher_core.kube.stream import EventType, Lines, parse_event
from kube_log_watcher_core.models import Layout, Pod, Work
from kube_log_watcher_core.resolve import Rules
from kube_log_watcher_core.resolve.target import image_parts
from kube_log_watcher_core.resolve.target import make_target as resolved
from kube_log_watcher_core.settings import WatcherSettings, load, read_sources
from kube_log_watcher_core.state import NAME, StateFile
from kube_log_watcher_testing import hostile
from kube_log_watcher_testing.factories import NODE, log_path_of, make_target
from kube_log_watcher_testing.fake_api import pod_object
from kube_log_watcher_testing.strategies import target_lists, texts
from kube_support import decode_list

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts() | st.just("\ud83d"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Give a document with something cut out, put in or turned over."""
    at = draw(st.integers(min_value=0, max_value=len(whole)))
    to = draw(st.integers(min_value=at, max_value=min(at + 20, len(whole))))
    return whole[:at] + draw(st.binary(max_size=20)) + whole[to:]


@st.composite
def mutated(draw: st.DrawFn, whole: Any) -> Any:
    """Give a JSON value in which something, somewhere, is something else."""
    if isinstance(whole, dict) and whole and draw(st.integers(min_value=0, max_value=5)):
        key = draw(st.sampled_from(sorted(whole)))
        return {**whole, key: draw(mutated(whole[key]))}
    if isinstance(whole, list) and whole and draw(st.integers(min_value=0, max_value=5)):
        return [draw(mutated(whole[0])), *whole[1:]]
    return draw(ANYTHING)


# ---------------------------------------------------------------------- the node

CONFIG: dict[str, Any] = {
    "Created": "2026-11-22T08:27:24.78307476Z",
    "Config": {
        "Image": "registry.example.org/team/app:1.0",
        "Labels": {
            "io.kubernetes.pod.name": "shop-1",
            "io.kubernetes.pod.namespace": "default",
            "io.kubernetes.pod.uid": "uid-1",
            "io.kubernetes.container.name": "main",
            "io.kubernetes.docker.type": "container",
            "annotation.io.kubernetes.container.restartCount": "3",
        },
    },
}


@examples(300)
@given(
    content=st.binary(max_size=300)
    | damaged(json.dumps(CONFIG).encode())
    | mutated(CONFIG).map(json.dumps).map(str.encode)
    | st.sampled_from([text.encode("utf-8", "replace") for text in hostile.TEXTS])
)
def test_a_config_is_understood_or_called_broken(content: bytes) -> None:
    config, told = None, ""
    try:
        config = parse_config(content)
    except BrokenConfig as error:
        told = str(error)
    assert len(told) < 1000
    if config is None:
        return
    assert all(value.isprintable() for value in config.labels.values())
    assert config.image is None or config.image.isprintable()
    assert 0 <= config.restart_count < 10**9
    assert config.obstacle is None or config.obstacle.detail


NAMES = texts(large=True) | st.lists(
    st.sampled_from(
        ["a", "_", "-", ".", "..", "/", "0", "01", ".log", "-json", "a" * 64, "\n", "\u0660", "é"]
    ),
    max_size=12,
).map("".join)


@examples(300)
@given(name=NAMES)
def test_no_name_becomes_a_path_or_breaks_a_parser(name: str) -> None:
    folder, link, run, path = (
        parse_pod_folder(name),
        parse_link_name(name),
        parse_run_log(name),
        parse_run_path(name),
    )
    parts = [*([folder.namespace, folder.pod, folder.uid] if folder else [])]
    parts += [link.namespace, link.pod, link.container] if link else []
    parts += [name] if is_container_folder(name) else []
    parts += [path.pod, path.container] if path else []
    for part in parts:
        assert part.isascii()
        assert part.isprintable()
        assert "/" not in part
        assert part not in ("", ".", "..")
    assert run is None or 0 <= run.number < 10**10
    identity = parse_docker_log(name) or (link.id if link else None)
    assert identity is None or (len(identity) == 64 and int(identity, 16) >= 0)


# ---------------------------------------------------------------------- pods' wishes


@examples(200)
@given(value=texts(large=True), setting=st.sampled_from(["exclude", "include"]), own=st.booleans())
def test_an_annotation_that_is_neither_true_nor_false_is_a_short_complaint(
    value: str, setting: str, own: bool
) -> None:
    name = f"{PREFIX}{setting}{'.main' if own else ''}"
    assert annotation_for({name: value}, setting, "main") == (name, value)
    if value.strip().lower() in ("true", "false"):
        excluding = (value.strip().lower() == "true") is (setting == "exclude")
        assert is_excluded({name: value}, "main") is excluding
        return
    with pytest.raises(NotTrueOrFalse) as caught:
        is_excluded({name: value}, "main")
    assert caught.value.annotation == name
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()


@examples(200)
@given(reference=texts(large=True))
def test_an_image_reference_has_a_name_and_a_version_of_its_own_text(reference: str) -> None:
    name, version = image_parts(reference)
    assert name is None or (name in reference and "/" not in name)
    assert version is None or version == "latest" or version in reference


# ---------------------------------------------------------------------- the API

POD = {"kind": "Pod", "apiVersion": "v1", **pod_object("shop-1", labels={"application": "shop"}, uid="uid-1")}
LIST = {"kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": [POD, POD]}


def check_pod(pod: Pod) -> None:
    """See whether a pod holds what agents rely on."""
    assert pod.uid
    assert pod.name
    assert pod.namespace
    for mapping in (pod.labels, pod.annotations):
        for key, value in mapping.items():
            assert f"{key}{value}".encode()
    assert all(each.id == "" or len(each.id) == 64 for each in pod.containers)


@examples(200)
@given(
    content=st.binary(max_size=300)
    | damaged(json.dumps(LIST).encode())
    | mutated(LIST).map(json.dumps).map(str.encode)
    | st.sampled_from([text.encode("utf-8", "replace") for text in hostile.TEXTS])
)
def test_a_list_is_whole_or_refused(content: bytes) -> None:
    found, told = None, ""
    try:
        found = decode_list(content)
    except ServerError as error:
        told = str(error)
    assert len(told) < 500
    if found is None:
        return
    assert found.version
    for pod in found.pods:
        check_pod(pod)


@examples(200)
@given(
    line=st.binary(max_size=300).map(lambda content: content.replace(b"\n", b""))
    | damaged(json.dumps({"type": "ADDED", "object": POD}).encode())
    | mutated({"type": "MODIFIED", "object": POD}).map(json.dumps).map(str.encode)
    | mutated({"type": "ERROR", "object": {"kind": "Status", "code": 410}}).map(json.dumps).map(str.encode)
)
def test_a_line_of_a_watch_is_an_event_or_an_error_of_the_api(line: bytes) -> None:
    event, told = None, ""
    try:
        event = parse_event(line)
    except ApiError as error:
        told = str(error)
    assert len(told) < 500
    if event is None:
        return
    assert event.version is None or event.version
    if event.type in (EventType.PUT, EventType.REMOVED):
        assert event.pod is not None
        if isinstance(event.pod, Pod):
            check_pod(event.pod)


@examples(200)
@given(
    content=st.binary(max_size=400) | st.lists(st.just(b"\n") | st.binary(max_size=9)).map(b"".join),
    data=st.data(),
)
def test_any_bytes_cut_anywhere_are_the_same_lines(content: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(min_value=0, max_value=len(content)), max_size=8).map(sorted))
    edges = [0, *cuts, len(content)]
    pieces = (content[begin:end] for begin, end in itertools.pairwise(edges) if begin < end)
    found = list(Lines(pieces, clock=time.monotonic, line_seconds=60.0))
    *whole, _ = content.split(b"\n")
    assert found == [line.strip() for line in whole if line.strip()]


# ---------------------------------------------------------------------- files of ours


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    logging.disable(logging.WARNING)  # that each of them is not usable
    yield tmp_path_factory.mktemp("state")
    logging.disable(logging.NOTSET)


STATE_RULES = Rules(node=NODE, labels_as_attributes=("*",))


def loaded(folder: Path) -> Work:
    return StateFile(folder).load(STATE_RULES, [Path("/var/lib/docker/containers")])


def saved(folder: Path) -> bytes:
    """Give a good state file."""
    StateFile(folder).save(Work(targets=(make_target(labels_as_attributes=("*",)),)))
    return (folder / NAME).read_bytes()


@examples(150)
@given(data=st.data())
def test_a_state_file_is_understood_whole_or_started_anew(state: Path, data: st.DataObject) -> None:
    good = saved(state)
    content = (
        st.binary(max_size=200) | damaged(good) | mutated(json.loads(good)).map(json.dumps).map(str.encode)
    )
    (state / NAME).write_bytes(data.draw(content))
    work = loaded(state)
    StateFile(state).save(work)
    assert loaded(state) == work


@examples(60)
@given(targets=target_lists(annotations=st.dictionaries(texts(), texts(), max_size=3)))
def test_hostile_targets_come_back_from_the_state_as_they_were(state: Path, targets: list[Any]) -> None:
    docker = {"layout": Layout.DOCKER, "image": None}
    paths = (log_path_of(number, Layout.DOCKER) for number in range(1, len(targets) + 1))
    found = [
        attrs.evolve(each.container, log_path=path, **docker)
        for each, path in zip(targets, paths, strict=True)
    ]
    made = [resolved(each.id, it, each.pod, STATE_RULES) for each, it in zip(targets, found, strict=True)]
    work = Work(targets=tuple(made))
    StateFile(state).save(work)
    assert loaded(state) == work


SETTINGS = {
    "agents": ["scalyr"],
    "interval": 60,
    "scalyr": {"dest_path": "/x", "api_key": "k"},
    "namespaces": ["a"],
}


@examples(200)
@given(
    content=st.binary(max_size=200)
    | damaged(yaml.safe_dump(SETTINGS).encode())
    | mutated(SETTINGS).map(json.dumps).map(str.encode)
    | st.sampled_from([text.encode("utf-8", "replace") for text in hostile.SHORT + hostile.NESTED[3:]])
)
def test_a_settings_file_gives_settings_or_problems(state: Path, content: bytes) -> None:
    path = state / "watcher.yaml"
    path.write_bytes(content)
    loaded = load(WatcherSettings, read_sources(command_line={}, environ={}, config=path))
    assert (loaded.settings is None) == bool(loaded.problems) or loaded.settings is None
    for problem in loaded.problems:
        assert len(str(problem)) < 2000
