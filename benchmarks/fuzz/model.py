"""What is true: pods, their logs and the settings, and what must be followed because of that. Pure."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping

import attrs

from kube_log_watcher_testing.fake_node import FakeContainer

PREFIX = "kubernetes-log-watcher/"
LABELS = ("application", "version", "release", "component", "tier")
"""Labels that a log's entry shows; ``tier`` only where it is asked for."""


@attrs.frozen
class Settings:
    """The watcher's settings that decide about logs."""

    strict_labels: tuple[str, ...] = ("application", "version")
    exclude_namespaces: tuple[str, ...] = ()
    labels_as_attributes: tuple[str, ...] = ()
    drain_seconds: float = 0.3


@attrs.frozen
class Version:
    """A pod's labels and annotations at a time. The label ``release`` is there in all, and never twice."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    masks: Mapping[str, str] = attrs.field(factory=dict)
    """What the annotations want a container's secrets to be replaced by: each version by something else."""

    @property
    def release(self) -> str:
        """What tells it from all other versions of all pods."""
        return self.labels["release"]

    def shown(self, container: str, settings: Settings, namespace: str) -> Shown | None:
        """Return what a log's entry must show; None when the log must not be followed."""
        if any(fnmatch.fnmatchcase(namespace, each) for each in settings.exclude_namespaces):
            return None
        if self._is_excluded(container) or not all(map(self.labels.get, settings.strict_labels)):
            return None
        return Shown(
            {
                name: self.labels[name]
                for name in LABELS
                if self.labels.get(name) and (name != "tier" or "tier" in settings.labels_as_attributes)
            }
        )

    def _is_excluded(self, container: str) -> bool:
        own = self.annotations.get(f"{PREFIX}exclude.{container}")
        return (own if own is not None else self.annotations.get(f"{PREFIX}exclude")) == "true"


@attrs.frozen
class Shown:
    """What an entry shows of the labels."""

    labels: Mapping[str, str]


@attrs.frozen
class Rest:
    """How a log whose pod has left the API is followed, or is not."""

    shown: Shown | None


@attrs.define
class Run:
    """One run of a container: one log."""

    files: FakeContainer
    contested: bool = False
    """Whether its pod's author has made a link that gives it somebody else's id: it may be left alone."""
    may_be_nameless: bool = False
    """Whether the node may not tell its id, so that one is made up if the API comes too late."""
    settled: bool = False
    """Whether it was there at the last quiet, so that the watcher knows it."""
    rest: Rest | None = None
    """How it was at the last quiet, when its pod had left the API before that."""

    @property
    def path(self) -> str:
        """The log's path, by which it is known."""
        return str(self.files.log)


@attrs.define(eq=False)
class PodModel:
    """A pod, from its beginning to the end of its files."""

    namespace: str
    name: str
    uid: str
    folder_uid: str
    """What its folder is called by: for a static pod the hash of its configuration."""
    versions: list[Version] = attrs.field(factory=list)
    """All that the API has shown, the last one last."""
    since_quiet: list[Version] = attrs.field(factory=list)
    """The version at the last quiet, and those after it."""
    in_api: bool = False
    settled: bool = False
    """Whether the API showed it at the last quiet."""
    runs: list[Run] = attrs.field(factory=list)
    """Those whose files are there; of one container the latest comes last."""
    mirror_hash: str | None = None
    """The configuration's hash of a static pod."""

    @property
    def key(self) -> str:
        """Its name for people."""
        return f"{self.namespace}/{self.name} ({self.uid[:8]})"

    def latest(self) -> list[Run]:
        """Return the last run of each container."""
        return list({run.files.name: run for run in self.runs}.values())


class Model:
    """All pods there are, and all logs there ever were."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.past_settings: list[Settings] = []
        """Those that were in use since the last quiet, the present ones not among them."""
        self.pods: list[PodModel] = []
        self.ever: dict[str, tuple[PodModel, Run]] = {}
        """All logs that ever were, by path."""
        self.ids: dict[str, str] = {}
        """The path of each container id that there ever was."""
        self.shown_ids: set[str] = set()
        """The container ids that the API has shown."""
        self.untouched: dict[str, object] = {}
        """The entries of logs to which nothing has happened since the last quiet, by path."""
        self.draining: dict[str, float] = {}
        """Until when, of a monotonic clock, logs that are gone stay, for the shipper to read their ends."""
        self.calm = True
        """Whether nothing has kept the watcher from hearing all that happened since the last quiet."""
        self._releases = itertools.count(1)

    # ------------------------------------------------------------------ what happens

    def release(self) -> str:
        """Return the release of another version."""
        return f"r{next(self._releases)}"

    def begin(self, pod: PodModel, files: FakeContainer) -> Run:
        """Note a log that is about to appear."""
        run = Run(files, may_be_nameless=files.link is not None and files.id not in files.link.name)
        pod.runs.append(run)
        self.ever[run.path] = pod, run
        self.ids[files.id] = run.path
        return run

    def show(self, pod: PodModel, version: Version) -> None:
        """Note what the API is about to show of a pod."""
        self.touch(pod)
        for path in [path for path in self.draining if self.ever[path][0] is pod]:
            del self.draining[path]
        pod.in_api = True
        pod.versions.append(version)
        pod.since_quiet.append(version)

    def leave(self, pod: PodModel) -> None:
        """Note that a pod is about to leave the API."""
        self.touch(pod)
        pod.in_api = False

    def remove(self, pod: PodModel, run: Run, now: float) -> None:
        """Note that a log's files are about to go."""
        if self.untouched.pop(run.path, None) is not None:
            by_all = (self.settings, *self.past_settings)
            self.draining[run.path] = now + min(settings.drain_seconds for settings in by_all)
        pod.runs.remove(run)
        if not pod.runs and not pod.in_api:
            self.pods.remove(pod)

    def touch(self, pod: PodModel) -> None:
        """Note that something is about to happen to a pod."""
        for run in pod.runs:
            self.untouched.pop(run.path, None)

    def reload(self, settings: Settings) -> None:
        """Note that other settings are about to come into use."""
        self.past_settings.append(self.settings)
        for path in list(self.untouched):
            pod, run = self.ever[path]
            if self._allowed(pod, run, settings) != self._allowed(pod, run, self.settings):
                del self.untouched[path]
        if settings != self.settings:
            self.draining.clear()
        self.settings = settings

    # ------------------------------------------------------------------ what must come of it

    def expected(self) -> Iterator[tuple[Run, Collection[Shown | None]]]:
        """Return for each log what its entry may show, None standing for no entry. Mostly that is one."""
        for pod in self.pods:
            for run in pod.runs:
                yield run, self._allowed(pod, run, self.settings)

    def _allowed(self, pod: PodModel, run: Run, settings: Settings) -> list[Shown | None]:
        allowed = self._by_pod(pod, run, settings)
        return _distinct([*allowed, None]) if run.contested else allowed

    def _by_pod(self, pod: PodModel, run: Run, settings: Settings) -> list[Shown | None]:
        """Return what may be shown: the API's last word, or what was heard of the pod when it left."""
        if pod.in_api:
            return [_shown(pod, run, pod.versions[-1], settings)]
        if run.rest is not None:
            return self._at_rest(pod, run, run.rest, settings)
        if not pod.since_quiet:  # a run that has begun since: the watcher may remember its pod
            return _distinct([None, *(_shown(pod, run, each, settings) for each in pod.versions)])
        now = [_shown(pod, run, version, settings) for version in pod.since_quiet]
        ever = [_shown(pod, run, each, by) for each in pod.since_quiet for by in self.past_settings] + now
        was_known = pod.settled and run.settled
        if was_known and self.calm and not self.past_settings and None not in now[:-1]:
            return now[-1:]
        return _distinct(now if was_known and None not in ever else [*now, None])

    def _at_rest(self, pod: PodModel, run: Run, rest: Rest, settings: Settings) -> list[Shown | None]:
        """Tell of a log whose pod had left the API before the last quiet: so it stays, by any settings."""
        if rest.shown is None:  # the watcher may have been about to look, and remembers pods that have left
            return _distinct([None, *(_shown(pod, run, each, settings) for each in pod.versions)])
        if not self.past_settings:
            return [rest.shown]
        version = next(each for each in pod.versions if each.release == rest.shown.labels["release"])
        before = [_shown(pod, run, version, by) for by in self.past_settings]
        now = _shown(pod, run, version, settings)
        return _distinct([now, *([None] if None in before else [])])

    def quiet(self, entries: Mapping[str, object], found: Mapping[str, Shown]) -> None:
        """Note that all is as it must be, and how it is."""
        for pod in self.pods:
            for run in pod.runs:
                run.settled = True
                run.rest = None if pod.in_api else Rest(found.get(run.path))
            pod.settled = pod.in_api
            pod.since_quiet = pod.versions[-1:] if pod.in_api else []
        there = {run.path for pod in self.pods for run in pod.runs}
        self.untouched = {path: entry for path, entry in entries.items() if path in there}
        self.past_settings = []
        self.calm = True


def _shown(pod: PodModel, run: Run, version: Version, settings: Settings) -> Shown | None:
    return version.shown(run.files.name, settings, pod.namespace)


def _distinct(values: Iterable[Shown | None]) -> list[Shown | None]:
    found: list[Shown | None] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found
