"""Kubernetes objects as an API server shows them, for the fake one."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

JsonObject = dict[str, Any]

INIT = "initContainerStatuses"
ORDINARY = "containerStatuses"
EPHEMERAL = "ephemeralContainerStatuses"

_SPECS = {INIT: "initContainers", ORDINARY: "containers", EPHEMERAL: "ephemeralContainers"}


@dataclass(frozen=True)
class ContainerStatus:
    """A container of a pod, as its status tells it."""

    name: str = "app"
    image: str = "registry.local/team/app:1.4.2"
    id: str | None = None
    """64 hexadecimal digits; made up when None; empty while the kubelet has not reported it."""
    restart_count: int = 0
    previous_id: str = ""
    """The id of the run before this one."""
    kind: str = ORDINARY
    """`INIT`, `ORDINARY` or `EPHEMERAL`."""


def container_id(*parts: object) -> str:
    """Make up a container id that is always the same for the same parts."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def pod_object(
    name: str,
    *,
    namespace: str = "default",
    uid: str | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    node: str = "node-1",
    containers: Iterable[ContainerStatus] = (ContainerStatus(),),
    owner: tuple[str, str] | None = None,
) -> JsonObject:
    """Make a running pod of about the size that real ones have (some 3 KB with one container).

    Labels and annotations that are None or empty leave their keys out, as an API server does. `owner` is
    the kind and name of the controller. A uid that is not given is a new one at each call.
    """
    uid = uid or str(uuid.uuid4())
    metadata: JsonObject = {
        "name": name,
        "namespace": namespace,
        "uid": uid,
        "generation": 1,
        "creationTimestamp": _now(),
    }
    if labels:
        metadata["labels"] = dict(labels)
    if annotations:
        metadata["annotations"] = dict(annotations)
    if owner:
        metadata["ownerReferences"] = [_owner_reference(*owner)]
    metadata["managedFields"] = _managed_fields(metadata)
    every = list(containers)
    return {"metadata": metadata, "spec": _spec(node, every), "status": _status(uid, every)}


def status_object(code: int, reason: str, message: str) -> JsonObject:
    """Make the object that an API server answers with when it refuses."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


def copied(item: JsonObject) -> JsonObject:
    """Copy an object all through."""
    copy: JsonObject = json.loads(json.dumps(item))
    return copy


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _owner_reference(kind: str, name: str) -> JsonObject:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "name": name,
        "uid": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _managed_fields(metadata: JsonObject) -> list[JsonObject]:
    names: JsonObject = {f"f:{key}": {} for key in metadata.get("labels", {})}
    conditions: JsonObject = {f'k:{{"type":"{each}"}}': {".": {}, "f:status": {}} for each in _CONDITIONS}
    return [
        {
            "manager": "kube-controller-manager",
            "operation": "Update",
            "apiVersion": "v1",
            "time": metadata["creationTimestamp"],
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:labels": {".": {}, **names}}, "f:spec": {"f:containers": {}}},
        },
        {
            "manager": "kubelet",
            "operation": "Update",
            "apiVersion": "v1",
            "time": metadata["creationTimestamp"],
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:status": {"f:conditions": {".": {}, **conditions}, "f:phase": {}}},
            "subresource": "status",
        },
    ]


_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def _spec(node: str, containers: Iterable[ContainerStatus]) -> JsonObject:
    spec: JsonObject = {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default",
        "nodeName": node,
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "enableServiceLinks": True,
        "containers": [],
    }
    for each in containers:
        described = {
            "name": each.name,
            "image": each.image,
            "args": ["--config=/etc/app/config.yaml"],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "IfNotPresent",
        }
        spec.setdefault(_SPECS[each.kind], []).append(described)
    return spec


def _status(uid: str, containers: Iterable[ContainerStatus]) -> JsonObject:
    status: JsonObject = {
        "phase": "Running",
        "conditions": [
            {"type": each, "status": "True", "lastProbeTime": None, "lastTransitionTime": _now()}
            for each in _CONDITIONS
        ],
        "hostIP": "10.0.0.11",
        "podIP": "10.244.1.7",
        "startTime": _now(),
    }
    for each in containers:
        status.setdefault(each.kind, []).append(_container_status(uid, each))
    return status


def _container_status(uid: str, container: ContainerStatus) -> JsonObject:
    own = container.id
    if own is None:
        own = container_id(uid, container.name, container.restart_count)
    status: JsonObject = {
        "name": container.name,
        "state": {"running": {"startedAt": _now()}} if own else {"waiting": {"reason": "ContainerCreating"}},
        "lastState": {},
        "ready": bool(own),
        "restartCount": container.restart_count,
        "image": container.image,
        "imageID": f"{container.image.split(':')[0]}@sha256:{container_id(container.image)}",
        "started": bool(own),
    }
    if own:
        status["containerID"] = f"containerd://{own}"
    if container.previous_id:
        ended = {"exitCode": 1, "reason": "Error", "containerID": f"containerd://{container.previous_id}"}
        status["lastState"] = {"terminated": ended}
    return status


def faults_of_event(event: JsonObject, namespace: str) -> Iterator[str]:
    """Yield what a real server would refuse of an Event of ``events.k8s.io/v1``, by its own rules."""
    for name, longest in (("reportingController", 128), ("reportingInstance", 128), ("action", 128)):
        if not 0 < len(event.get(name, "")) <= longest:
            yield f"{name}: must be given, with at most {longest} characters"
    if not 0 < len(event.get("reason", "")) <= 128:
        yield "reason: must be given, with at most 128 characters"
    if len(event.get("note", "").encode()) > 1024:
        yield "note: can have at most 1024 characters"
    if event.get("type") not in ("Normal", "Warning"):
        yield "type: has to be Normal or Warning"
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event.get("eventTime", "")):
        yield "eventTime: must be given, with microseconds"
    if (
        event.get("regarding", {}).get("namespace") != namespace
        or event["metadata"]["namespace"] != namespace
    ):
        yield "regarding.namespace: does not match the Event's"
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", event["metadata"].get("name", "")):
        yield "metadata.name: is no name of a subdomain"
