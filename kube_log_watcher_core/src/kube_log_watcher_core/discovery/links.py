"""The kubelet's links ``<pod>_<namespace>_<container>-<id>.log`` and what they lead to."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator

import attrs

from kube_log_watcher_core.discovery.logfile import is_absent
from kube_log_watcher_core.discovery.names import (
    LinkName,
    RunPath,
    parse_link_name,
    parse_pod_folder,
    parse_run_path,
)

_MOST_HOPS = 8

Run = tuple[str, str, int]
"""A pod folder's name, a container's name, a number: the same wherever the folders are mounted."""


@attrs.frozen
class ContainerLink:
    """One link."""

    name: str
    target: str
    """As it stands in the link."""
    parsed: LinkName | None
    run: RunPath | None
    """The first pod folder's log on the way to the end; None where there is none."""

    @property
    def key(self) -> Run | None:
        """The run that it leads to."""
        return (self.run.pod, self.run.container, self.run.number) if self.run else None

    @property
    def id(self) -> str | None:
        """The container id that the name tells, if its names are those of the folder that it leads to."""
        pod = parse_pod_folder(self.run.pod) if self.run else None
        if self.parsed is None or self.run is None or pod is None:
            return None
        named = (self.parsed.namespace, self.parsed.pod, self.parsed.container)
        return self.parsed.id if named == (pod.namespace, pod.pod, self.run.container) else None

    @property
    def unit(self) -> str:
        """What has to be looked at when this link comes or goes: a pod's folder, else the link itself."""
        return self.run.pod if self.run else self.name


class LinkTable:
    """All links of one folder, by name and by what they lead to."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._links: dict[str, ContainerLink] = {}
        self._by_pod: dict[str, dict[str, ContainerLink]] = {}
        self._ids: dict[Run, str] = {}

    def replace(self, names: Iterable[str]) -> set[str]:
        """Take the folder's listing as the whole truth; give the units that this changes."""
        listed = {name for name in names if _is_link_name(name)}
        changed: set[str] = set()
        for name in listed | self._links.keys():
            changed |= self.look(name)
        return changed

    def look(self, name: str) -> set[str]:
        """Read one link again; give the units that this changes."""
        if not _is_link_name(name):
            return set()
        old, new = self._links.get(name), self._read(name)
        if old == new:
            return set()
        if old is not None:
            del self._links[name]
            if old.run is not None:
                of_pod = self._by_pod[old.run.pod]
                del of_pod[name]
                if not of_pod:
                    del self._by_pod[old.run.pod]
        if new is not None:
            self._links[name] = new
            if new.run is not None:
                self._by_pod.setdefault(new.run.pod, {})[name] = new
        changed = [link for link in (old, new) if link is not None]
        for run in {link.key for link in changed if link.key is not None}:
            self._choose_id(run)
        return {link.unit for link in changed}

    def get(self, name: str) -> ContainerLink | None:
        """Return a link by its name."""
        return self._links.get(name)

    def id_of(self, run: Run) -> str | None:
        """Return the container id of a run."""
        return self._ids.get(run)

    def runs_of(self, pod: str) -> list[tuple[Run, str]]:
        """Return the runs of a pod that links lead to, each with the path of its container's folder."""
        return [
            ((run.pod, run.container, run.number), os.path.join(self.folder, run.folder))
            for link in self._by_pod.get(pod, {}).values()
            if (run := link.run) is not None
        ]

    def units(self) -> Iterator[str]:
        """Return the name of all that the links lead to."""
        return (link.unit for link in self._links.values())

    def _read(self, name: str) -> ContainerLink | None:
        known = self._links.get(name)
        try:
            target = os.readlink(f"{self.folder}/{name}")
        except OSError as error:
            if is_absent(error) or error.errno == errno.EINVAL:
                return None  # gone, or a file that is none of the kubelet's
            return known or ContainerLink(name=name, target="", parsed=parse_link_name(name), run=None)
        if known is not None and known.target == target and known.run is not None:
            return known
        return ContainerLink(
            name=name, target=target, parsed=parse_link_name(name), run=self._run_behind(target)
        )

    def _run_behind(self, target: str) -> RunPath | None:
        path = os.path.join(self.folder, target)
        for _ in range(_MOST_HOPS):
            run = parse_run_path(path)
            if run is not None:
                return run
            try:
                path = os.path.join(os.path.dirname(path), os.readlink(path))
            except OSError:
                return None
        return None

    def _choose_id(self, run: Run) -> None:
        """Let the newest of the links to a run tell its id."""
        links = [link for link in self._by_pod.get(run[0], {}).values() if link.key == run]
        told = [(self._made(link), link.id) for link in links if link.id is not None]
        self._ids.pop(run, None)
        if told:
            self._ids[run] = max(told)[1]

    def _made(self, link: ContainerLink) -> int:
        try:
            return os.lstat(f"{self.folder}/{link.name}").st_mtime_ns
        except OSError:
            return 0


def _is_link_name(name: str) -> bool:
    return name.endswith(".log") and name.isprintable()
