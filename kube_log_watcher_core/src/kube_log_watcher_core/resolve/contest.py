"""Whose a container id is, where more than one has it: who can make links can name any id."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

from kube_log_watcher_core.models import Container, LogTarget, Pod, Pods, Reason, Skipped
from kube_log_watcher_core.resolve.rules import Known


def is_anothers(container_id: str, container: Container, pod: Pod, pods: Pods) -> bool:
    """Whether the API says that an id is another container's.

    The number of the run is left out of account: kubelets have been seen to count it differently.
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
