"""Which pod a container belongs to."""

from __future__ import annotations

from kube_log_watcher_core.models import Container, LogTarget, Pod, Pods, Reason, Skipped


def pod_of(
    container: Container, pods: Pods, before: LogTarget | None, on_disk: frozenset[str]
) -> Pod | Skipped:
    """Find the pod: by uid, else by name; once found, a container stays with its pod.

    A pod that left the API goes on being this container's: its log may be written and read for a
    while. A successor of the same name never takes over a container that was another pod's.
    """
    if before is not None:
        return pods.by_uid(before.pod.uid) or pods.by_uid(container.pod_uid) or before.pod
    pod = pods.by_uid(container.pod_uid)
    if pod is not None:
        return pod
    namesake = pods.by_name(container.namespace, container.pod_name)
    if namesake is None:
        detail = f"the API shows no pod {container.namespace}/{container.pod_name} on this node"
        return Skipped(container, Reason.POD_UNKNOWN, detail)
    if _is_successor(namesake, container, on_disk):
        detail = f"pod {container.namespace}/{container.pod_name} was replaced by one of the same name"
        return Skipped(container, Reason.POD_REPLACED, detail)
    return namesake


def _is_successor(pod: Pod, container: Container, on_disk: frozenset[str]) -> bool:
    """Tell whether a pod only has the name of the container's pod: StatefulSets use names again.

    It is one when its own uid is on the disk with other containers, or when it is younger than the
    container.
    """
    if container.pod_uid is None:
        return False
    if pod.uid in on_disk:
        return True
    return pod.created is not None and container.created is not None and container.created < pod.created
