"""Whose a name is: Fluent Bit looks metadata up by namespace and pod name, and pods have one after the other.

Pure. A pod has its name until its last segment has gone; whoever takes the name over waits for that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from kube_log_watcher_core import LogTarget

Name = tuple[str, str]
"""Namespace and name of a pod."""


def name_of(target: LogTarget) -> Name:
    """Return the name by which Fluent Bit looks a log's metadata up."""
    return target.namespace, target.pod_name


def pod_of(target: LogTarget) -> str:
    """Return which pod a log is of: by the uid in its segments' path, which for a static pod is a hash."""
    return target.container.pod_uid or target.pod.uid


def holders(targets: Iterable[LogTarget], before: Mapping[Name, str]) -> Mapping[Name, LogTarget]:
    """Return for each name a log of the pod that has it: the first of that pod's.

    Of several pods it is the one that had it ``before``, else the oldest.
    """
    contenders: dict[Name, dict[str, LogTarget]] = {}
    for target in targets:
        contenders.setdefault(name_of(target), {}).setdefault(pod_of(target), target)
    return {
        name: next(iter(pods.values())) if len(pods) == 1 else _holder(pods, before.get(name))
        for name, pods in contenders.items()
    }


def _holder(pods: Mapping[str, LogTarget], before: str | None) -> LogTarget:
    if before is not None and before in pods:
        return pods[before]
    return min(pods.values(), key=lambda target: (_created(target), pod_of(target)))


def _created(target: LogTarget) -> float:
    return math.inf if target.pod.created is None else target.pod.created
