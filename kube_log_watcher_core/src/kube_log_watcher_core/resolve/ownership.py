"""Which pod a container belongs to, and whose an id is that more than one has. Authors have no say in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter

import attrs

from kube_log_watcher_core.models import Container, LogTarget, Pod, Pods, Reason, Skipped
from kube_log_watcher_core.resolve.rules import Known


@attrs.frozen
class Evidence:
    """What tells whose log a log is."""

    pods: Pods
    """As the API shows them."""
    gone: Mapping[str, Pod] = attrs.field(factory=dict)
    """By uid: the last states of pods that have left the API."""
    on_disk: frozenset[str] = frozenset()
    """The uids that the node's folders carry."""
    names_decide: bool = False
    """Whether a name is believed although the uids differ, as `Known` says."""


def pod_of(container: Container, before: LogTarget | None, evidence: Evidence) -> Pod | Skipped:
    """Find the pod: by the uid that the node has, and by name only where the node has none.

    A different uid is a different pod, whatever it is called: StatefulSets use names again, and an API
    that is behind still shows the predecessor. A pod that left the API goes on being its container's: the
    log may be written and read for a while.
    """
    if container.pod_uid is not None:
        pod = _by_uid(container, before, evidence)
        if pod is not None:
            return pod
        if not evidence.names_decide:
            return _stranger(container, evidence)
    return _by_name(container, before, evidence)


def shown_pod_of(container: Container, pods: Pods) -> Pod | None:
    """Find the pod among those that the API shows, by the same evidence."""
    pod = pod_of(container, None, Evidence(pods))
    return None if isinstance(pod, Skipped) else pod


def owns(pod: Pod, container: Container) -> bool:
    """Whether the container's folder is this pod's, or that of the static pod that it mirrors.

    The names must be the folder's, too: a folder may be made by whoever may write to the node's disk.
    """
    same_name = (pod.namespace, pod.name) == (container.namespace, container.pod_name)
    return same_name and container.pod_uid in (pod.uid, pod.config_hash)


def _by_uid(container: Container, before: LogTarget | None, evidence: Evidence) -> Pod | None:
    """Find the pod by its uid; only a uid that was never any pod's own can be a configuration's hash."""
    uid, pods, gone = container.pod_uid or "", evidence.pods, evidence.gone
    last = before.pod if before is not None and owns(before.pod, container) else None
    own = pods.by_uid(uid) or gone.get(uid) or (last if last is not None and last.uid == uid else None)
    if own is not None:
        return own if owns(own, container) else None
    mirror = pods.by_name(container.namespace, container.pod_name)
    if mirror is not None and owns(mirror, container):
        return mirror
    # A mirror that is made anew has another uid: of those that have left, the last one counts.
    return next((pod for pod in reversed([*gone.values()]) if owns(pod, container)), last)


def _by_name(container: Container, before: LogTarget | None, evidence: Evidence) -> Pod | Skipped:
    """Find the pod by name; once found, a container stays with it, and not with its successor."""
    if before is not None:
        uid = before.pod.uid
        return evidence.pods.by_uid(uid) or evidence.gone.get(uid) or before.pod
    namesake = evidence.pods.by_name(container.namespace, container.pod_name)
    if namesake is None or (container.pod_uid is not None and _is_replaced_by(namesake, container, evidence)):
        return _stranger(container, evidence)
    return namesake


def _stranger(container: Container, evidence: Evidence) -> Skipped:
    """Say why no pod is known to be the container's, and whether one may still come."""
    name = f"{container.namespace}/{container.pod_name}"
    unreadable = evidence.pods.unreadable(container.pod_uid, container.namespace, container.pod_name)
    if unreadable is not None:
        detail = f"the API shows pod {name}, which can't be read: {unreadable.detail}"
        return Skipped(container, Reason.POD_UNREADABLE, detail)
    namesake = evidence.pods.by_name(container.namespace, container.pod_name)
    if namesake is None:
        return Skipped(container, Reason.POD_UNKNOWN, f"the API shows no pod {name} on this node")
    if _is_replaced_by(namesake, container, evidence):
        return Skipped(container, Reason.POD_REPLACED, f"pod {name} was replaced by one of the same name")
    detail = f"the API shows a pod {name} with the uid {namesake.uid}, and the log is of {container.pod_uid}"
    return Skipped(container, Reason.POD_UNKNOWN, detail)


def _is_replaced_by(namesake: Pod, container: Container, evidence: Evidence) -> bool:
    """Whether a namesake is the successor of the container's pod: what is missed will not come then.

    It is when its own uid is on the disk with other containers, or when it is younger than the container.
    """
    if namesake.uid in evidence.on_disk:
        return True
    return namesake.created is not None and (container.created or namesake.created) < namesake.created


# ---------------------------------------------------------------------- whose an id is


def is_anothers(container_id: str, container: Container, pod: Pod, pods: Pods) -> bool:
    """Whether the API says that an id is another container's.

    The number of the run does not count: kubelets have been seen to count it differently.
    """
    if any(status.id == container_id and status.name == container.name for status in pod.containers):
        return False
    owner = pods.owner_of(container_id)
    return owner is not None and owner != (pod.uid, container.name)


def one_for_each_id(
    targets: Iterable[LogTarget], pods: Pods, known: Known
) -> tuple[list[LogTarget], list[Skipped]]:
    """Give each id to one of the targets that have it, and the others a reason; they are sorted by id.

    It is whose the API says it is; else who had it before; else the first by key.
    """

    def rank(target: LogTarget) -> tuple[bool, bool, bool, str]:
        key = target.container.key
        by_status = pods.owner_of(target.id) == (target.pod.uid, target.container.name)
        return not by_status, key not in known.current, key not in known.targets, key

    kept, second = [], []
    for _, group in groupby(targets, key=attrgetter("id")):
        first, *others = group
        if others:
            first, *others = sorted((first, *others), key=rank)
            whose = f"{first.namespace}/{first.pod_name}/{first.container_name}"
            detail = f"its container id {first.id} is that of {whose}"
            second += [Skipped(target.container, Reason.TAKEN, detail) for target in others]
        kept.append(first)
    return kept, second
