"""An agent of kube-log-watcher that gives Fluent Bit the metadata of pods, as files and without the API."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core import PATH, File, FileAgent, LogTarget, Owned, Pod, setting

# Names of pods are legal in file names, but together may be longer than one can be.
_NAME = r"(?=.{1,255}$)[a-z0-9-]+_[a-z0-9.-]+\.meta"


@attrs.frozen
class FluentBitSettings:
    """``WATCHER_FLUENTBIT_...``, or the section ``fluentbit`` of the YAML file."""

    folder: Path = setting(PATH, help="folder that Kube_meta_preload_cache_dir names")


class FluentBitAgent(FileAgent[FluentBitSettings]):
    """Keeps a file for each pod, from which Fluent Bit's Kubernetes filter learns its labels."""

    settings_class = FluentBitSettings
    # Fluent Bit finds logs by itself: none is shown to it before its pod's file is there.
    gates = True

    def render(self, targets: Sequence[LogTarget]) -> Iterable[File]:
        """Return a file for each name of a pod."""
        (ours,) = self.owned()
        for pod in _by_name(targets).values():
            path = self.settings.folder / f"{pod.namespace}_{pod.name}.meta"
            metadata = {"uid": pod.uid, "labels": dict(pod.labels), "annotations": dict(pod.annotations)}
            if ours.matches(path):
                content = {"metadata": metadata, "spec": {"nodeName": pod.node}}
                yield File(path, json.dumps(content, sort_keys=True))

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        """Return the targets whose own pod has the file of its name: the next of that name has to wait."""
        shown = {pod.uid for pod in _by_name(targets).values()}
        return [target for target in targets if target.pod.uid in shown]

    def owned(self) -> Sequence[Owned]:
        """Return the names of these files."""
        return [Owned(self.settings.folder, _NAME)]


def _by_name(targets: Sequence[LogTarget]) -> Mapping[tuple[str, str], Pod]:
    """Return the pod of each name: of several, the oldest whose log the spool still has, or the newest."""
    found: dict[tuple[str, str], tuple[bool, Pod]] = {}
    for target in sorted(targets, key=lambda target: (target.pod.created or 0, target.pod.uid)):
        name = target.namespace, target.pod_name
        is_kept, _ = found.get(name, (False, target.pod))
        if not is_kept:
            found[name] = target.is_spooled, target.pod
    return {name: pod for name, (_, pod) in found.items()}
