"""Pods as large as real ones: what the watcher does not need of them makes up most of the bytes."""

from __future__ import annotations

import uuid

from kube_log_watcher_testing.fake_api import ContainerStatus, pod_object
from kube_log_watcher_testing.fake_api.objects import JsonObject
from kube_log_watcher_testing.fake_node import FakeContainer

REAL_POD_BYTES = 11_600
"""A list of 110 pods on a real server had 1,275,776 bytes of JSON."""


def pod_of(container: FakeContainer, *, small: bool = False) -> JsonObject:
    """Give the API object of a container's pod, padded to the size of a real one unless it is to be small."""
    shown = pod_object(
        container.pod,
        namespace=container.namespace,
        uid=container.uid,
        labels={
            "application": container.pod.rpartition("-")[0],
            "version": f"v{container.restart}",
            "component": "backend",
            "pod-template-hash": "6b9c7d5f4",
        },
        annotations={"kubernetes.io/psp": "restricted", "team.example.org/contact": "team@example.org"},
        containers=[ContainerStatus(container.name, image=container.image, id=container.id)],
        owner=("ReplicaSet", f"{container.pod.rpartition('-')[0]}-6b9c7d5f4"),
    )
    if not small:
        _pad(shown)
    return shown


def _pad(shown: JsonObject) -> None:
    """Add what real pods have: environment, volumes, probes, tolerations."""
    container = shown["spec"]["containers"][0]
    container["env"] = [
        {"name": f"SETTING_{number}", "value": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{number}"))}
        for number in range(40)
    ]
    container["volumeMounts"] = [
        {"name": f"volume-{number}", "mountPath": f"/etc/app/{number}", "readOnly": True}
        for number in range(12)
    ]
    shown["spec"]["volumes"] = [
        {"name": f"volume-{number}", "configMap": {"name": f"app-{number}", "defaultMode": 420}}
        for number in range(12)
    ]
    shown["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"] = {
        f'k:{{"name":"SETTING_{number}"}}': {".": {}, "f:name": {}, "f:value": {}} for number in range(40)
    }
