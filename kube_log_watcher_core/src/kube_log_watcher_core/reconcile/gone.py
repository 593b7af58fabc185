"""The last states of pods that have left the API while their logs are still there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kube_log_watcher_core.models import Container, Pod


class GonePods:
    """Keeps a pod's last state for as long as its folder is on the disk."""

    def __init__(self) -> None:
        self._states: Mapping[str, Pod] = {}

    def update(self, gone: Mapping[str, Pod], containers: Sequence[Container]) -> Mapping[str, Pod]:
        """Take the pods that have just left, and give by uid all that may matter in this pass."""
        if self._states or gone:
            on_disk = {container.pod_uid for container in containers}
            kept = {uid: pod for uid, pod in self._states.items() if {uid, pod.config_hash} & on_disk}
            self._states = {**kept, **gone}
        return self._states
