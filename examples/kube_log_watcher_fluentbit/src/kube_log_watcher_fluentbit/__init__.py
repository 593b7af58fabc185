"""An agent of kube-log-watcher that gives Fluent Bit the metadata of pods, as files and without the API."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core import PATH, File, FileAgent, LogTarget, Owned, setting

# Names of pods are legal in file names, but together may be longer than one can be.
_NAME = r"(?=.{1,255}$)[a-z0-9-]+_[a-z0-9.-]+\.meta"


@attrs.frozen
class FluentBitSettings:
    """``WATCHER_FLUENTBIT_...``, or the section ``fluentbit`` of the YAML file."""

    folder: Path = setting(PATH, help="folder that Kube_meta_preload_cache_dir names")


class FluentBitAgent(FileAgent[FluentBitSettings]):
    """Keeps a file for each pod, from which Fluent Bit's Kubernetes filter learns its labels."""

    settings_class = FluentBitSettings

    def render(self, targets: Sequence[LogTarget]) -> Iterable[File]:
        """Return the files; of two pods of one name, which may both be there for a while, the newer one's."""
        (ours,) = self.owned()
        files: dict[Path, File] = {}
        for pod in sorted({target.pod for target in targets}, key=lambda pod: (pod.created or 0, pod.uid)):
            path = self.settings.folder / f"{pod.namespace}_{pod.name}.meta"
            metadata = {"uid": pod.uid, "labels": dict(pod.labels), "annotations": dict(pod.annotations)}
            if ours.matches(path):
                content = {"metadata": metadata, "spec": {"nodeName": pod.node}}
                files[path] = File(path, json.dumps(content, sort_keys=True))
        return files.values()

    def owned(self) -> Sequence[Owned]:
        """Return the names of these files."""
        return [Owned(self.settings.folder, _NAME)]
