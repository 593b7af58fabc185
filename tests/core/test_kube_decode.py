"""A pod's JSON, reduced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube_log_watcher_core.kube.decode import MalformedPod, decode_pod
from kube_log_watcher_core.models import FrozenMap, Owner, Pod, PodContainer, epoch_seconds
from kube_log_watcher_testing.fake_api import EPHEMERAL, INIT, ContainerStatus, pod_object
from kube_support import decode_list

DATA = Path(__file__).parent.parent / "data" / "api"
A, B = "a" * 64, "b" * 64

METADATA = {"uid": "u-1", "name": "shop-1", "namespace": "shop"}


def status(**fields: object) -> dict[str, Any]:
    return {"metadata": METADATA, "status": {"containerStatuses": [{"name": "app", **fields}]}}


def containers(item: dict[str, Any]) -> tuple[PodContainer, ...]:
    return decode_pod(item).containers


def recorded(name: str) -> dict[str, Pod]:
    listed = decode_list((DATA / name).read_bytes())
    assert not listed.unreadable
    return {pod.name: pod for pod in listed.pods}


def test_a_pod_is_reduced_to_what_is_wanted() -> None:
    made = pod_object(
        "shop-1",
        namespace="shop",
        uid="u-1",
        labels={"application": "shop"},
        annotations={"a": "b"},
        owner=("ReplicaSet", "shop-5d4"),
        containers=[ContainerStatus(id=A)],
    )
    made["metadata"]["creationTimestamp"] = "2026-11-22T08:34:22Z"
    assert decode_pod(made) == Pod(
        uid="u-1",
        name="shop-1",
        namespace="shop",
        labels=FrozenMap({"application": "shop"}),
        annotations=FrozenMap({"a": "b"}),
        owner=Owner("ReplicaSet", "shop-5d4"),
        node="node-1",
        containers=(PodContainer("app", "registry.local/team/app:1.4.2", A, 0),),
        created=1795336462.0,
    )


@pytest.mark.parametrize("missing", ["uid", "name", "namespace"])
@pytest.mark.parametrize("value", [None, "", 7, ["x"], {}])
def test_without_uid_name_or_namespace_it_is_no_pod(missing: str, value: object) -> None:
    with pytest.raises(MalformedPod, match=f"metadata.{missing}"):
        decode_pod({"metadata": {**METADATA, missing: value}})


@pytest.mark.parametrize("item", [None, 1, "pod", [], {}, {"metadata": None}, {"metadata": []}])
def test_what_is_no_object_is_no_pod(item: object) -> None:
    with pytest.raises(MalformedPod):
        decode_pod(item)


@pytest.mark.parametrize("value", [None, {}, [], "text", 5])
def test_labels_and_annotations_may_be_absent_null_or_odd(value: object) -> None:
    pod = decode_pod({"metadata": {**METADATA, "labels": value, "annotations": value}})
    assert pod.labels == pod.annotations == FrozenMap()


def test_values_that_are_no_strings_are_dropped() -> None:
    labels = {"good": "x", "null": None, "number": 1, "list": ["x"], "empty": ""}
    found = decode_pod({"metadata": {**METADATA, "labels": labels}}).labels
    assert dict(found) == {"good": "x", "empty": ""}


def test_a_lone_surrogate_can_be_written_to_a_file_afterwards() -> None:
    item = json.loads(
        '{"metadata": {"uid": "u", "name": "n", "namespace": "s", "labels": {"a": "\\ud800x"}}}'
    )
    assert decode_pod(item).labels["a"] == "?x"


def test_only_the_controller_is_the_owner() -> None:
    references = [{"kind": "Node", "name": "n"}, "odd", {"kind": "Job", "name": "j", "controller": True}]
    assert decode_pod({"metadata": {**METADATA, "ownerReferences": references}}).owner == Owner("Job", "j")
    assert decode_pod({"metadata": {**METADATA, "ownerReferences": references[:2]}}).owner is None


def test_all_kinds_of_containers_are_there() -> None:
    kinds = [
        ContainerStatus("setup", id=A, kind=INIT),
        ContainerStatus("app", id=B),
        ContainerStatus("debug", id="", kind=EPHEMERAL),
    ]
    made = containers(pod_object("shop-1", containers=kinds))
    assert [(each.name, each.id) for each in made] == [("setup", A), ("app", B), ("debug", "")]


def test_the_run_before_is_there_too_with_its_number() -> None:
    made = containers(pod_object("x", containers=[ContainerStatus(id=B, previous_id=A, restart_count=3)]))
    assert [(each.id, each.restart_count) for each in made] == [(B, 3), (A, 2)]


def test_a_container_that_waits_for_its_next_start_is_not_its_own_predecessor() -> None:
    """In CrashLoopBackOff the last state is that of the run whose id and number are shown."""
    last = {"terminated": {"containerID": f"containerd://{A}"}}
    made = containers(status(containerID=f"containerd://{A}", restartCount=2, lastState=last))
    assert [(each.id, each.restart_count) for each in made] == [(A, 2)]


@pytest.mark.parametrize("prefix", ["docker://", "containerd://", "cri-o://", ""])
def test_an_id_loses_its_runtime(prefix: str) -> None:
    assert containers(status(containerID=prefix + A))[0].id == A


@pytest.mark.parametrize("odd", ["docker://", "docker://../../etc", A + "\n", A[:-1], A.upper(), None, 5, {}])
def test_an_odd_id_is_none(odd: object) -> None:
    assert containers(status(containerID=odd))[0].id == ""


@pytest.mark.parametrize(("odd", "count"), [(None, 0), ("3", 0), (-1, 0), (True, 0), (2.5, 0), (7, 7)])
def test_an_odd_restart_count_is_zero(odd: object, count: int) -> None:
    assert containers(status(containerID=A, restartCount=odd))[0].restart_count == count


@pytest.mark.parametrize(
    ("shown", "image"),
    [("reg/app:2", "reg/app:2"), ("", "reg/app:1"), (None, "reg/app:1"), ("sha256:" + A, "reg/app:1")],
)
def test_an_image_is_what_the_runtime_names_else_what_was_specified(shown: str | None, image: str) -> None:
    spec = {"containers": [{"name": "app", "image": "reg/app:1"}]}
    assert containers({**status(image=shown), "spec": spec})[0].image == image


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:01:00Z", 60.0),
        ("1970-01-01T00:01:00.5Z", 60.5),
        ("1970-01-01T00:00:10.123456789Z", pytest.approx(10.123456, abs=1e-6)),
        ("1970-01-01T01:01:00+01:00", 60.0),
        ("1970-01-01T00:01:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (60, None),
    ],
)
def test_a_timestamp_is_seconds_since_the_epoch(text: object, seconds: float | None) -> None:
    assert epoch_seconds(text) == seconds


def test_a_pod_that_is_going_has_a_time_of_deletion() -> None:
    item = {"metadata": {**METADATA, "deletionTimestamp": "1970-01-01T00:01:00Z"}}
    assert decode_pod(item).deleted == 60.0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["labels", "annotations", "ownerReferences", "creationTimestamp", "deletionTimestamp"]


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, json_values)), json_values, json_values)
def test_nothing_in_a_pod_can_make_decoding_fail(
    metadata: dict[str, Any], spec: object, status: object
) -> None:
    pod = decode_pod({"metadata": {**metadata, **METADATA}, "spec": spec, "status": status})
    assert pod.uid == "u-1"
    hash(pod)


@given(json_values)
def test_odd_statuses_are_passed_over(odd: object) -> None:
    statuses = [odd, {"name": odd, "containerID": odd}, {"name": "app", "image": odd, "lastState": odd}]
    made = containers({"metadata": METADATA, "status": {"containerStatuses": statuses}})
    assert made[-1].name == "app"


def test_a_real_kubelets_statuses_tell_which_log_is_whose() -> None:
    """Checked against the links in /var/log/containers of the same moment."""
    chatty = recorded("05-app-restarted.json")["chatty"]
    runs = {(each.name, each.restart_count): each.id[-6:] for each in chatty.containers}
    assert runs == {
        ("init", 0): "e56f3a",
        ("app", 1): "987729",
        ("app", 0): "bda04c",
        ("side", 0): "652ec8",
        ("debugger", 0): "c1047d",
    }
    crasher = recorded("05-app-restarted.json")["crasher"]
    assert [(each.restart_count, each.id[-6:]) for each in crasher.containers] == [(1, "7f87c0")]


def test_a_real_sidecar_static_pod_and_missing_image_are_understood() -> None:
    pods = recorded("04-ephemeral.json")
    assert [each.name for each in pods["native-sidecar"].containers] == ["proxy", "app"]
    assert [each.id for each in pods["never-image"].containers] == [""]
    static = pods["static-web-real-node"]
    assert static.owner == Owner("Node", "real-node")
    assert static.config_hash not in (None, static.uid)
    assert pods["chatty"].containers[-1].name == "debugger"
    assert {pod.node for pod in pods.values()} == {"real-node"}
