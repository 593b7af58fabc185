"""What happens on the node, in its API, and to the watcher: chosen at random, noted in the model first."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
import uuid
from collections.abc import Callable, Mapping, Sequence

import attrs

from benchmarks.fuzz.model import PREFIX, PodModel, Run, Settings, Version
from benchmarks.fuzz.site import Site
from kube_log_watcher_core import Layout
from kube_log_watcher_testing import fake_api, hostile
from kube_log_watcher_testing.fake_api import ContainerStatus, Fault, pod_object

MOST_PODS = 10
NAMESPACES = ("shop", "team-1", "team-2")
RESIDENT = "resident-0"
STATEFUL = ("db-0", "db-1")
APPLICATIONS = ("shop", "cart", "billing", 'a"b\\c', "$HOME ${X}", "../../up")
LONG_NAME = "long-" + "x" * 195
"""The kubelet cuts the name of its link, and with it the container's id."""
MIRROR, HASH = "kubernetes.io/config.mirror", "kubernetes.io/config.hash"
FAULTS: Sequence[Fault] = (
    fake_api.Refuse(500),
    fake_api.Refuse(503),
    fake_api.Refuse(429),
    fake_api.Drop(),
    fake_api.Body(b"<html>Welcome</html>"),
    fake_api.Body(b"{}"),
    fake_api.Truncated(),
    fake_api.Expired(),
    fake_api.Expired(as_status=True),
    fake_api.HalfLine(),
    fake_api.ShortWatch(),
    fake_api.Unchunked(),
    fake_api.Slow(0.3),
    fake_api.Silent(),
)

Happening = Callable[[], str | None]
"""Does something and says what; None when there was nothing to do it to."""


class Happenings:
    """Lets things happen to a site.

    Parameters
    ----------
    say
        is told of each thing that happens, before it does.
    """

    def __init__(self, site: Site, rng: random.Random) -> None:
        self._site = site
        self._model = site.model
        self._rng = rng
        self._count = 0
        self._storms = 0
        self.often: Mapping[Happening, int] = {
            self.pod_comes: 6,
            self.pod_goes: 4,
            self.pod_leaves_the_api: 2,
            self.files_go: 3,
            self.labels_change: 5,
            self.container_restarts: 4,
            self.log_rotates: 3,
            self.pod_is_replaced: 3,
            self.pod_changes_and_goes: 2,
            self.static_pod_comes: 1,
            self.mirror_is_made_anew: 1,
            self.nothing_for_a_moment: 3,
        }
        self.storm: Mapping[Happening, int] = {
            self.api_is_away: 2,
            self.api_is_faulty: 4,
            self.watches_break: 2,
            self.watches_fall_silent: 1,
            self.versions_expire: 1,
            self.watcher_is_killed: 2,
            self.watcher_is_restarted: 1,
            self.watcher_stands_still: 1,
        }
        self.rare: Mapping[Happening, int] = {
            self.settings_are_read_again: 1,
            self.settings_change: 3,
            self.settings_are_spoiled: 1,
        }

    def one(self, others: Mapping[Happening, int], *, stormy: bool) -> str:
        """Let one thing happen, and say what it was; ``others`` are things that may happen besides."""
        bag = {**self.often, **self.rare, **others, **(self.storm if stormy else {})}
        while True:
            happening = self._rng.choices([*bag], [*bag.values()])[0]
            if (said := happening()) is not None:
                return said

    # ------------------------------------------------------------------ pods come and go

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
        show = lambda: self.show(pod, self.version())  # noqa: E731
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

    def show(self, pod: PodModel, version: Version) -> None:
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

    def version(self) -> Version:
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

    def pod_goes(self) -> str | None:
        """Let a pod's object and files go, in either order."""
        pod = self._any(lambda each: each.in_api)
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
        pod = self._any(lambda each: each.in_api)
        if pod is None:
            return None
        self._leave(pod)
        return f"leaves the API, its files stay: {pod.key}"

    def files_go(self) -> str | None:
        """Let the files of a pod go that has left the API."""
        pod = self._any(lambda each: bool(each.runs) and not each.in_api)
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

    # ------------------------------------------------------------------ pods change

    def labels_change(self) -> str | None:
        """Give a pod other labels and annotations."""
        pod = self._any(lambda each: each.in_api)
        if pod is None:
            return None
        self.show(pod, self.version())
        return f"changes to {pod.versions[-1].release}: {pod.key}"

    def pod_changes_and_goes(self) -> str | None:
        """Delete a pod right after a change: it goes with a last state that nobody has seen before."""
        pod = self._any(lambda each: each.in_api)
        if pod is None:
            return None
        self.show(pod, self.version())
        self._leave(pod)
        return f"changes to {pod.versions[-1].release} and leaves the API at once: {pod.key}"

    def container_restarts(self) -> str | None:
        """Let a container begin its next run; the run before last goes."""
        pod = self._any(lambda each: bool(each.runs))
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
        pod = self._any(lambda each: bool(each.runs))
        if pod is None:
            return None
        run = self._rng.choice(pod.latest())
        self._site.node.write(run.files, "a line")
        self._site.node.rotate(run.files)
        return f"log of {run.files.name} rotates: {pod.key}"

    def pod_is_replaced(self) -> str | None:
        """Let a namesake with another uid come at once; the files of the first may stay for a while."""
        old = self._any(lambda each: each.in_api and each.mirror_hash is None)
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
        self.show(pod, self.version())

    def mirror_is_made_anew(self) -> str | None:
        """Let the mirror of a static pod be deleted; the kubelet makes another one."""
        pod = self._any(lambda each: each.mirror_hash is not None and each.in_api)
        if pod is None:
            return None
        version = self.version()
        with self._site.lock:
            self._model.show(pod, version)
        self._site.api.delete(pod.namespace, pod.name)
        self._moment()
        pod.uid = str(uuid.UUID(int=self._rng.getrandbits(128)))
        self._site.api.add(self._object(pod, version))
        return f"mirror is made anew: {pod.key}"

    # ------------------------------------------------------------------ the API is not well

    def api_is_away(self) -> str:
        """Let the API server go away, or come back."""
        self._disturb()
        if self._site.api_is_up:
            self._site.api.stop()
        else:
            self._site.api.start()
        self._site.api_is_up = not self._site.api_is_up
        return f"the API is {'back' if self._site.api_is_up else 'away'}"

    def api_is_faulty(self) -> str | None:
        """Let the next requests meet a fault."""
        self._storms += 1
        if self._storms > 3:  # a back-off grows, and has to be waited for
            return None
        self._disturb()
        fault, verb = self._rng.choice(FAULTS), self._rng.choice(["list", "watch", "watch"])
        if isinstance(fault, fake_api.Silent) and verb == "list":
            return None
        times = self._rng.choice([1, 1, 2])
        self._site.api.fail(fault, verb=verb, times=times)
        self._site.api.cut_watches()
        return f"{times} x {fault} for {verb}"

    def watches_break(self) -> str:
        """Let the watches that are open end, or break off."""
        self._disturb()
        if self._rng.random() < 0.5:
            self._site.api.end_watches()
            return "watches end"
        self._site.api.cut_watches(in_line=self._rng.random() < 0.5)
        return "watches break"

    def watches_fall_silent(self) -> str:
        """Let the watches that are open say nothing any more."""
        self._disturb()
        self._site.api.silence_watches()
        return "watches fall silent"

    def versions_expire(self) -> str:
        """Let the API forget what was before: a watch from there gets 410."""
        self._disturb()
        self._site.api.compact()
        self._site.api.cut_watches()
        return "versions expire"

    # ------------------------------------------------------------------ the watcher

    def watcher_is_killed(self) -> str:
        """Kill the watcher, and start it again."""
        self._disturb()
        self._site.end_watcher(kindly=False)
        return "the watcher is killed and started again"

    def watcher_is_restarted(self) -> str:
        """Stop the watcher, and start it again."""
        self._disturb()
        self._site.end_watcher(kindly=True)
        return "the watcher is stopped and started again"

    def watcher_stands_still(self) -> str:
        """Stop the watcher's process for a while in which things happen."""
        self._disturb()
        self._site.watcher.signal(signal.SIGSTOP)
        for _ in range(self._rng.randrange(4)):
            self.one({}, stormy=False)
        self._site.watcher.signal(signal.SIGCONT)
        return "the watcher has stood still"

    def settings_are_read_again(self) -> str | None:
        """Let the watcher read settings again that are the same."""
        if not self._site.hears(signal.SIGHUP):
            return None
        self._site.watcher.signal(signal.SIGHUP)
        return "SIGHUP"

    def settings_change(self) -> str:
        """Let other settings come into use."""
        old = self._model.settings
        new = self._rng.choice(
            [
                attrs.evolve(
                    old, strict_labels=self._rng.choice([("application",), ("application", "version")])
                ),
                attrs.evolve(old, exclude_namespaces=self._rng.choice([(), ("team-1",), ("team-*",)])),
                attrs.evolve(old, labels_as_attributes=self._rng.choice([(), ("tier",)])),
                attrs.evolve(old, drain_seconds=self._rng.choice([0.0, 0.3, 1.0])),
            ]
        )
        self.set_settings(new)
        return f"settings: {new}"

    def set_settings(self, new: Settings) -> None:
        """Let the settings file be replaced by a good one."""
        with self._site.lock:
            self._model.reload(new)
        self._site.write_settings(new)

    def settings_are_spoiled(self) -> str | None:
        """Spoil the settings file for a moment: the old settings stay."""
        if "node node-1" not in self._site.watcher.log:
            return None  # a watcher that has yet to read them ends by them, as it should
        bad = self._rng.choice(["drain_seconds: soon\n", "{", "drain_seconds: -1\nnonsense: 1\n", "[]\n"])
        self._site.write_settings_text(bad)
        self._moment()
        self._site.write_settings(self._model.settings)
        return f"the settings file is {bad!r} for a moment"

    # ------------------------------------------------------------------

    def heal(self) -> None:
        """End what must end before there can be quiet."""
        self._storms = 0
        self._site.api.heal()
        if not self._site.api_is_up:
            self._site.api.start()
            self._site.api_is_up = True
        # A silent stream is found out by its deadline, minutes later.
        self._site.api.cut_watches()

    def nothing_for_a_moment(self) -> str:
        """Let the watcher come to rest, or half to rest."""
        seconds = self._rng.choice([0.02, 0.1, 0.4])
        time.sleep(seconds)
        return f"nothing for {seconds:g} s"

    def any_pod(self, test: Callable[[PodModel], bool]) -> PodModel | None:
        """Choose one of the pods for which something holds."""
        found = [pod for pod in self._model.pods if pod.name != RESIDENT and test(pod)]
        return self._rng.choice(found) if found else None

    _any = any_pod

    def _disturb(self) -> None:
        with self._site.lock:
            self._model.calm = False

    def _moment(self) -> None:
        time.sleep(self._rng.choice([0.0, 0.0, 0.001, 0.01, 0.05]))

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
