"""Pods of the fuzzed node: they come, change and go, noted in the model first."""

from __future__ import annotations

import json
import random
import shutil
import time
import uuid
from collections.abc import Callable, Mapping, Sequence

from benchmarks.fuzz.model import PREFIX, PodModel, Run, Version
from benchmarks.fuzz.site import Site
from kube_log_watcher_core import Layout
from kube_log_watcher_testing import hostile
from kube_log_watcher_testing.fake_api import ContainerStatus, pod_object

MOST_PODS = 10
NAMESPACES = ("shop", "team-1", "team-2")
RESIDENT = "resident-0"
STATEFUL = ("db-0", "db-1")
APPLICATIONS = ("shop", "cart", "billing", 'a"b\\c', "$HOME ${X}", "../../up")
LONG_NAME = "long-" + "x" * 195
"""The kubelet cuts the name of its link, and with it the container's id."""
MOMENTS = (0.0, 0.0, 0.001, 0.01, 0.05)
"""Seconds between two steps of one thing."""
MIRROR, HASH = "kubernetes.io/config.mirror", "kubernetes.io/config.hash"


class Pods:
    """Lets pods come, change and go. What each method says is None when there was no pod to do it to."""

    def __init__(self, site: Site, rng: random.Random) -> None:
        self._site = site
        self._model = site.model
        self._rng = rng
        self._count = 0

    # ------------------------------------------------------------------ they come

    def pod_comes(self) -> str | None:
        """Let a pod come, with a name that was there before, a long one or a new one."""
        if len(self._model.pods) >= MOST_PODS:
            return None
        name = self._rng.choice([*STATEFUL, LONG_NAME, *[f"web-{self._number()}"] * 6])
        namespace = self._rng.choice(NAMESPACES)
        if any((pod.namespace, pod.name) == (namespace, name) and pod.in_api for pod in self._model.pods):
            return None
        return f"comes: {self._come(namespace, name).key}"

    def resident_comes(self) -> None:
        """Let a pod come that stays, as every node has: where no uid agrees with the API's, names count."""
        uid = str(uuid.UUID(int=self._rng.getrandbits(128)))
        self._start_and_show(PodModel("kube-system", RESIDENT, uid, uid))

    def _come(self, namespace: str, name: str) -> PodModel:
        uid = str(uuid.UUID(int=self._rng.getrandbits(128)))
        pod = PodModel(namespace, name, uid, uid)
        return self._appear(pod, self._rng.sample(["main", "side", "init"], self._rng.choice([1, 1, 2, 3])))

    def _appear(self, pod: PodModel, containers: Sequence[str]) -> PodModel:
        """Let a pod's logs and its API object come, in any order, at times one without the other."""
        with self._site.lock:
            self._model.pods.append(pod)
        steps: list[Callable[[], object]] = [lambda each=each: self._start(pod, each) for each in containers]  # type: ignore[misc]
        order = self._rng.choice(["log first", "log first", "api first", "mixed", "ghost", "no log"])
        show = lambda: self._show(pod, self._version())  # noqa: E731
        if order == "log first":
            steps.append(show)
        elif order in ("api first", "no log"):
            steps.insert(0, show)
        elif order == "mixed":
            steps.insert(1, show)
        for step in steps[: 1 if order == "no log" else None]:
            step()
            self._moment()
        return pod

    def _start(self, pod: PodModel, container: str, restart: int = 0) -> None:
        made = self._site.node.add(
            pod=pod.name,
            namespace=pod.namespace,
            container=container,
            uid=pod.folder_uid,
            restart=restart,
            started=False,
        )
        with self._site.lock:
            self._model.touch(pod)
            self._model.begin(pod, made)
        self._site.node.start(made)

    def _show(self, pod: PodModel, version: Version) -> None:
        """Let the API show a pod in a version."""
        with self._site.lock:
            self._model.show(pod, version)
        self._site.api.add(self._object(pod, version))

    def _object(self, pod: PodModel, version: Version) -> dict[str, object]:
        statuses = [
            ContainerStatus(
                run.files.name, image=run.files.image, id=run.files.id, restart_count=run.files.restart
            )
            for run in pod.latest()
        ]
        with self._site.lock:
            self._model.shown_ids |= {run.files.id for run in pod.latest()}
        static = {MIRROR: pod.mirror_hash, HASH: pod.mirror_hash} if pod.mirror_hash else {}
        return pod_object(
            pod.name,
            namespace=pod.namespace,
            uid=pod.uid,
            labels=version.labels,
            annotations={**version.annotations, **static},
            containers=statuses or [ContainerStatus()],
            owner=("Node", "node-1") if pod.mirror_hash else ("ReplicaSet", "web"),
        )

    def _version(self) -> Version:
        """Make up labels and annotations."""
        labels = {"release": self._model.release(), "tier": self._rng.choice(["front", "back"])}
        if self._rng.random() < 0.9:
            labels["application"] = self._rng.choice(APPLICATIONS)
        if self._rng.random() < 0.85:
            labels["version"] = f"v{self._number()}"
        if self._rng.random() < 0.1:
            labels["version"] = ""
        annotations: dict[str, str] = {}
        if self._rng.random() < 0.15:
            annotations[f"{PREFIX}exclude"] = self._rng.choice(["true", "true", "maybe", "false"])
        if self._rng.random() < 0.1:
            annotations[f"{PREFIX}exclude.side"] = self._rng.choice(["true", "false"])
        if self._rng.random() < 0.2:
            annotations |= self._hostile_annotations()
        masks: dict[str, str] = {}
        if self._rng.random() < 0.4:
            masks = {"main": f"mask-{labels['release']}", "side": f"mask-{labels['release']}-side"}
            annotations[f"{PREFIX}scalyr-redaction-rules"] = _redaction_rules(masks)
        return Version(labels, annotations, masks)

    def _hostile_annotations(self) -> dict[str, str]:
        """Make up annotations of which none is to count."""
        texts = [*(text for text in hostile.TEXTS if "\0" not in text), "x" * 200_000]
        names = ("scalyr-parser", "scalyr-sampling-rules", "appd-log-path", "include.other", "")
        return {
            f"{PREFIX}{self._rng.choice(names)}x": self._rng.choice(texts),
            "a/b": self._rng.choice(texts),
        }

    # ------------------------------------------------------------------ they go

    def pod_goes(self) -> str | None:
        """Let a pod's object and files go, in either order."""
        pod = self.any_pod(lambda each: each.in_api)
        if pod is None:
            return None
        ways: list[Callable[[PodModel], None]] = [self._leave, self._remove_files]
        self._rng.shuffle(ways)
        for way in ways:
            way(pod)
            self._moment()
        return f"goes, {'object' if ways[0] == self._leave else 'files'} first: {pod.key}"

    def pod_leaves_the_api(self) -> str | None:
        """Let a pod be deleted by force, or complete: its files stay."""
        pod = self.any_pod(lambda each: each.in_api)
        if pod is None:
            return None
        self._leave(pod)
        return f"leaves the API, its files stay: {pod.key}"

    def files_go(self) -> str | None:
        """Let the files of a pod go that has left the API."""
        pod = self.any_pod(lambda each: bool(each.runs) and not each.in_api)
        if pod is None:
            return None
        self._remove_files(pod)
        return f"files go: {pod.key}"

    def _leave(self, pod: PodModel) -> None:
        with self._site.lock:
            self._model.leave(pod)
            if not pod.runs:
                self._model.pods.remove(pod)
        self._site.api.delete(pod.namespace, pod.name)

    def _remove_files(self, pod: PodModel) -> None:
        for run in list(pod.runs):
            self._remove(pod, run)
        if self._site.layout is Layout.CRI and not pod.runs:
            folder = self._site.node.containers_path / f"{pod.namespace}_{pod.name}_{pod.folder_uid}"
            shutil.rmtree(folder, ignore_errors=True)

    def _remove(self, pod: PodModel, run: Run) -> None:
        with self._site.lock:
            self._model.remove(pod, run, time.monotonic())
        self._site.node.remove(run.files)

    # ------------------------------------------------------------------ they change

    def labels_change(self) -> str | None:
        """Give a pod other labels and annotations."""
        pod = self.any_pod(lambda each: each.in_api)
        if pod is None:
            return None
        self._show(pod, self._version())
        return f"changes to {pod.versions[-1].release}: {pod.key}"

    def pod_changes_and_goes(self) -> str | None:
        """Delete a pod right after a change: it goes with a last state that nobody has seen before."""
        pod = self.any_pod(lambda each: each.in_api)
        if pod is None:
            return None
        self._show(pod, self._version())
        self._leave(pod)
        return f"changes to {pod.versions[-1].release} and leaves the API at once: {pod.key}"

    def container_restarts(self) -> str | None:
        """Let a container begin its next run; the run before last goes."""
        pod = self.any_pod(lambda each: bool(each.runs))
        if pod is None:
            return None
        old = self._rng.choice(pod.latest())
        before = [run for run in pod.runs if run.files.name == old.files.name]
        self._site.node.stop(old.files)
        self._start(pod, old.files.name, old.files.restart + 1)
        self._moment()
        if pod.in_api and self._rng.random() < 0.8:
            self._site.api.update(self._object(pod, pod.versions[-1]))
        for run in before[:-1]:
            self._remove(pod, run)
        return f"container {old.files.name} restarts: {pod.key}"

    def log_rotates(self) -> str | None:
        """Let a log be moved aside."""
        pod = self.any_pod(lambda each: bool(each.runs))
        if pod is None:
            return None
        run = self._rng.choice(pod.latest())
        self._site.node.write(run.files, "a line")
        self._site.node.rotate(run.files)
        return f"log of {run.files.name} rotates: {pod.key}"

    def pod_is_replaced(self) -> str | None:
        """Let a namesake with another uid come at once; the files of the first may stay for a while."""
        old = self.any_pod(lambda each: each.in_api and each.mirror_hash is None)
        if old is None or len(self._model.pods) > MOST_PODS:
            return None
        self._leave(old)
        if old.runs and self._rng.random() < 0.4:
            self._remove_files(old)
        new = self._come(old.namespace, old.name)
        return f"is replaced by {new.key}: {old.key}"

    def static_pod_comes(self) -> str | None:
        """Let a static pod come, whose folder goes by the hash of its configuration."""
        if len(self._model.pods) >= MOST_PODS:
            return None
        hashed = f"{self._rng.getrandbits(128):032x}"
        uid = str(uuid.UUID(int=self._rng.getrandbits(128)))
        pod = PodModel("kube-system", f"proxy-{self._number()}-node-1", uid, hashed, mirror_hash=hashed)
        self._start_and_show(pod)
        return f"static pod comes: {pod.key}"

    def _start_and_show(self, pod: PodModel) -> None:
        with self._site.lock:
            self._model.pods.append(pod)
        self._start(pod, "main")
        self._moment()
        self._show(pod, self._version())

    def mirror_is_made_anew(self) -> str | None:
        """Let the mirror of a static pod be deleted; the kubelet makes another one."""
        pod = self.any_pod(lambda each: each.mirror_hash is not None and each.in_api)
        if pod is None:
            return None
        version = self._version()
        with self._site.lock:
            self._model.show(pod, version)
        self._site.api.delete(pod.namespace, pod.name)
        self._moment()
        pod.uid = str(uuid.UUID(int=self._rng.getrandbits(128)))
        self._site.api.add(self._object(pod, version))
        return f"mirror is made anew: {pod.key}"

    # ------------------------------------------------------------------

    def any_pod(self, test: Callable[[PodModel], bool]) -> PodModel | None:
        """Choose one of the pods for which something holds."""
        found = [pod for pod in self._model.pods if pod.name != RESIDENT and test(pod)]
        return self._rng.choice(found) if found else None

    def _moment(self) -> None:
        time.sleep(self._rng.choice(MOMENTS))

    def _number(self) -> int:
        self._count += 1
        return self._count


def _redaction_rules(masks: Mapping[str, str]) -> str:
    rules = [
        {
            "container": container,
            "redaction-rules": [{"match_expression": r"password=\S+", "replacement": mask}],
        }
        for container, mask in masks.items()
    ]
    return json.dumps(rules)
