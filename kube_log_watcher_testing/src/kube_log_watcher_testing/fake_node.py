"""A node's log folders, written in the order in which runtimes and the kubelet write them."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import attrs

from kube_log_watcher_core.models import Layout

PAUSE_IMAGE = "registry.k8s.io/pause:3.9"
_POD_UIDS = uuid.UUID("6f1d3a52-8f0c-4b5e-9d0a-3f0d9c7b1e24")


@attrs.frozen
class FakeContainer:
    """One run of a container, and where it lies."""

    id: str
    name: str
    pod: str
    namespace: str
    uid: str
    restart: int
    image: str
    log: Path
    link: Path | None = None
    """The kubelet's link in the folder `containers` (CRI)."""
    labels: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    """The labels that Docker keeps."""


class _Disk(Protocol):
    path: Path

    def place(self, container: FakeContainer) -> FakeContainer: ...
    def create(self, container: FakeContainer) -> None: ...
    def start(self, container: FakeContainer) -> None: ...
    def line(self, text: str, *, now: float) -> str: ...
    def rotate(self, container: FakeContainer, *, now: float) -> None: ...
    def stop(self, container: FakeContainer) -> None: ...
    def remove(self, container: FakeContainer) -> None: ...


class FakeNode:
    """A node under a folder of your choice.

    Docker: ``docker/containers``. CRI: ``pods`` with the links in ``containers``. Nothing is ever running:
    what happens is what a test calls.
    """

    def __init__(self, root: Path, layout: Layout, *, clock: Callable[[], float] = time.time) -> None:
        self.layout = layout
        self._clock = clock
        self._numbers = itertools.count()
        self._disk: _Disk = _Docker(root) if layout is Layout.DOCKER else _Cri(root)

    @property
    def containers_path(self) -> Path:
        """What ``WATCHER_CONTAINERS_PATH`` names on this node."""
        return self._disk.path

    def add(
        self,
        *,
        pod: str,
        namespace: str = "default",
        container: str = "main",
        image: str = "registry.example.org/team/app:1.0",
        uid: str | None = None,
        restart: int = 0,
        labels: Mapping[str, str] | None = None,
        started: bool = True,
    ) -> FakeContainer:
        """Create a container and start it. `labels` are added to those that the kubelet gives (Docker)."""
        uid = uid or pod_uid(namespace=namespace, pod=pod)
        seed = f"{namespace}/{pod}/{uid}/{container}/{restart}/{next(self._numbers)}"
        made = self._disk.place(
            FakeContainer(
                id=hashlib.sha256(seed.encode()).hexdigest(),
                name=container,
                pod=pod,
                namespace=namespace,
                uid=uid,
                restart=restart,
                image=image,
                log=Path(),
                labels=labels or {},
            )
        )
        self._disk.create(made)
        if started:
            self.start(made)
        return made

    def add_pause(self, *, pod: str, namespace: str = "default", uid: str | None = None) -> FakeContainer:
        """Add a pod's sandbox. Raises ValueError with CRI, where sandboxes leave nothing on disk."""
        if self.layout is not Layout.DOCKER:
            raise ValueError("only Docker has folders of pause containers")
        labels = {"io.kubernetes.docker.type": "podsandbox"}
        return self.add(
            pod=pod, namespace=namespace, container="POD", image=PAUSE_IMAGE, uid=uid, labels=labels
        )

    def start(self, container: FakeContainer) -> None:
        """Let a created container's log appear, and what the runtime writes right after."""
        self._disk.start(container)

    def write(self, container: FakeContainer, *texts: str) -> None:
        """Append lines to a log, in the runtime's format."""
        with container.log.open("a", encoding="utf-8") as log:
            log.writelines(self._disk.line(text, now=self._clock()) for text in texts)

    def rotate(self, container: FakeContainer) -> None:
        """Move the log aside and begin a new one."""
        self._disk.rotate(container, now=self._clock())

    def restart(self, container: FakeContainer) -> FakeContainer:
        """Let the kubelet replace a container: a new id, the next number. The old run stays until removed."""
        self.stop(container)
        return self.add(
            pod=container.pod,
            namespace=container.namespace,
            container=container.name,
            image=container.image,
            uid=container.uid,
            restart=container.restart + 1,
            labels=container.labels,
        )

    def stop(self, container: FakeContainer) -> None:
        """Let a container exit. Its files stay."""
        self._disk.stop(container)

    def remove(self, container: FakeContainer) -> None:
        """Remove a run, and its pod's folders once they are empty."""
        self._disk.remove(container)


def pod_uid(*, namespace: str, pod: str) -> str:
    """Return the uid that a pod of that name gets when none is asked for."""
    return str(uuid.uuid5(_POD_UIDS, f"{namespace}/{pod}"))


class _Docker:
    """A folder per container, with its configuration beside the log."""

    def __init__(self, root: Path) -> None:
        self.path = root / "docker" / "containers"
        self.path.mkdir(parents=True, exist_ok=True)

    def place(self, container: FakeContainer) -> FakeContainer:
        return attrs.evolve(container, log=self.path / container.id / f"{container.id}-json.log")

    def create(self, container: FakeContainer) -> None:
        folder = container.log.parent
        folder.mkdir(mode=0o700)
        (folder / "checkpoints").mkdir(mode=0o700)
        _replace(folder / "hostconfig.json", {"LogConfig": {"Type": "json-file", "Config": {}}})
        self._configure(container, running=False, log_path="")

    def start(self, container: FakeContainer) -> None:
        container.log.touch(mode=0o640)
        self._configure(container, running=True, log_path=str(container.log))

    def line(self, text: str, *, now: float) -> str:
        return json.dumps({"log": f"{text}\n", "stream": "stdout", "time": _timestamp(now)}) + "\n"

    def rotate(self, container: FakeContainer, *, now: float) -> None:
        first = Path(f"{container.log}.1")
        if first.exists():
            first.rename(f"{container.log}.2")
        container.log.rename(first)
        container.log.touch(mode=0o640)

    def stop(self, container: FakeContainer) -> None:
        self._configure(container, running=False, log_path=str(container.log))

    def remove(self, container: FakeContainer) -> None:
        shutil.rmtree(container.log.parent)

    def _configure(self, container: FakeContainer, *, running: bool, log_path: str) -> None:
        document = {
            "State": {"Running": running, "Dead": False, "RemovalInProgress": False},
            "ID": container.id,
            "Created": "2026-11-22T08:27:24.78307476Z",
            "Config": {
                "Hostname": container.pod,
                "Image": container.image,
                "Labels": {**_kubelet_labels(container), **container.labels},
            },
            "LogPath": log_path,
            "Name": f"/k8s_{container.name}_{container.pod}_{container.namespace}_{container.uid}_0",
            "RestartCount": 0,
        }
        _replace(container.log.parent / "config.v2.json", document)


class _Cri:
    """A folder per pod and container, and links beside."""

    def __init__(self, root: Path) -> None:
        self.path = root / "pods"
        self._links = root / "containers"
        for folder in (self.path, self._links):
            folder.mkdir(parents=True, exist_ok=True)

    def place(self, container: FakeContainer) -> FakeContainer:
        pod = self.path / f"{container.namespace}_{container.pod}_{container.uid}"
        # A name may have 255 bytes: the kubelet cuts it, and the id with it.
        link = f"{container.pod}_{container.namespace}_{container.name}-{container.id}"[:251]
        return attrs.evolve(
            container,
            log=pod / container.name / f"{container.restart}.log",
            link=self._links / f"{link}.log",
        )

    def create(self, container: FakeContainer) -> None:
        container.log.parent.parent.mkdir(exist_ok=True)
        container.log.parent.mkdir(exist_ok=True)

    def start(self, container: FakeContainer) -> None:
        container.log.touch(mode=0o640)
        if container.link is not None:
            container.link.symlink_to(container.log)

    def line(self, text: str, *, now: float) -> str:
        return f"{_timestamp(now)} stdout F {text}\n"

    def rotate(self, container: FakeContainer, *, now: float) -> None:
        for rotated in self._rotated(container):
            if rotated.suffix != ".gz":
                _compress(rotated)
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
        container.log.rename(f"{container.log}.{stamp}")
        container.log.touch(mode=0o640)

    def stop(self, container: FakeContainer) -> None:
        return  # the folders don't show it

    def remove(self, container: FakeContainer) -> None:
        if container.link is not None:
            container.link.unlink(missing_ok=True)
        for log in (container.log, *self._rotated(container)):
            log.unlink(missing_ok=True)
        for folder in (container.log.parent, container.log.parent.parent):
            if not any(folder.iterdir()):
                folder.rmdir()

    def _rotated(self, container: FakeContainer) -> list[Path]:
        return sorted(container.log.parent.glob(f"{container.log.name}.*"))


def _kubelet_labels(container: FakeContainer) -> dict[str, str]:
    return {
        "annotation.io.kubernetes.container.restartCount": str(container.restart),
        "io.kubernetes.container.name": container.name,
        "io.kubernetes.docker.type": "container",
        "io.kubernetes.pod.name": container.pod,
        "io.kubernetes.pod.namespace": container.namespace,
        "io.kubernetes.pod.uid": container.uid,
    }


def _replace(path: Path, document: Mapping[str, Any]) -> None:
    temporary = path.with_name(f".tmp-{path.name}{time.monotonic_ns()}")
    temporary.write_text(json.dumps(document), encoding="utf-8")
    os.replace(temporary, path)


def _compress(path: Path) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_bytes(gzip.compress(path.read_bytes()))
    os.replace(temporary, f"{path}.gz")
    path.unlink()


def _timestamp(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
