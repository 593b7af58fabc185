"""A pod's folder as the kubelet leaves it: ``<namespace>_<pod>_<uid>/<container>/<N>.log``."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from typing import TypeVar

import attrs

from kube_log_watcher_core.discovery.links import Run
from kube_log_watcher_core.discovery.logfile import Log, is_absent, locate, regular
from kube_log_watcher_core.discovery.names import (
    PodFolder,
    is_container_folder,
    parse_docker_log,
    parse_run_log,
)
from kube_log_watcher_core.discovery.place import Place, keep_equal
from kube_log_watcher_core.models import Container, Layout, Obstacle, Reason

MOST_LOGS = 500
"""So many logs of one pod are followed: it has some containers, and the kubelet keeps few runs of each.

Whoever can write to a pod's folder must not keep other pods waiting by filling it.
"""
MOST_ENTRIES = 10_000
"""So many entries of a folder are looked at."""

S = TypeVar("S", str, bool)


@attrs.frozen
class _Folder:
    """A container's folder."""

    name: str
    path: str
    real: str
    """Its resolved path, on which there is no link."""


@attrs.frozen
class _Run:
    """A run, as its container's folder shows it."""

    folder: _Folder
    number: int
    entry: os.DirEntry[str] | None
    """Its log; None when only a rotated file, or a link, speaks of the run."""
    rotated: bool
    """Whether a file is there that was rotated from its log."""


class PodLogs:
    """All runs of all containers of one pod.

    The pod's folder stands in the containers folder, or links in the containers folder lead to it. The
    folder is the truth: an over-long link goes on pointing at ``0.log`` when ``1.log`` is live.

    A log is the run's own when it lies in that folder, or in the runtime's for a container. What leads
    elsewhere is not followed: whoever can make a link there would else have others' logs shipped as his.
    """

    def __init__(self, name: str, place: Place, folder: PodFolder) -> None:
        self.name = name
        self.containers: tuple[Container, ...] = ()
        self.unsettled = False
        self._place = place
        self._pod = folder
        self._path = f"{place.root}/{name}"
        self._prefix = f"{folder.namespace}/{folder.pod}/{folder.uid}"
        self._home: str | None = None
        self._known: dict[str, Container] = {}

    def concerns(self, name: str) -> bool:
        """Containers' folders, logs and rotated logs: there is nothing else in a pod's folder."""
        return True

    def unreadable(self, problem: str) -> Container:
        """Return what stands for the pod while its folder could never be looked at."""
        return self._stray(Reason.UNREADABLE, problem)

    def refresh(self) -> bool:
        """Look at the pod's folder again.

        Raises OSError when it, or a container's, can't be looked at; what is known of that stays.
        """
        linked = self._place.linked.runs_of(self.name)
        try:
            mode = os.lstat(self._path).st_mode
        except OSError as error:
            if not is_absent(error):
                raise
            mode = 0
        if not linked and not stat.S_ISDIR(mode) and not stat.S_ISLNK(mode):
            return False
        folders, strays = self._folders(linked, own=stat.S_ISDIR(mode))
        if stat.S_ISLNK(mode):
            detail = f"{self._path} is a link: a pod is followed where its folder really is"
            strays.append(self._stray(Reason.OUTSIDE_FOLDER, detail, at=self._path))
        spoken_of = {(run[1], run[2]) for run, _ in linked}
        self._list_all(folders, strays, spoken_of)
        return True

    def _folders(
        self, linked: Collection[tuple[Run, str]], *, own: bool
    ) -> tuple[list[_Folder], list[Container]]:
        """Return the containers' folders, and what stands for those that are none of this pod's."""
        folders: dict[str, _Folder] = {}
        strays: list[Container] = []
        if own:
            self._home = self._place.real
            self._place.watches.watch(self._path, owner=self.name)
            for name, is_link in self._own_folders():
                path, real = f"{self._path}/{name}", f"{self._place.real}/{self.name}/{name}"
                if is_link:
                    strays.append(self._elsewhere(name, path))
                else:
                    folders[name] = _Folder(name, path, real)
        strays += self._add_linked(folders, {(run[1], path) for run, path in linked}, own=own)
        return list(folders.values()), strays

    def _add_linked(
        self, folders: dict[str, _Folder], linked: Collection[tuple[str, str]], *, own: bool
    ) -> list[Container]:
        """Add the containers' folders that links lead to; return what stands for those that are no such."""
        paths = [each for each in self._known_first(linked) if each[0] not in folders]
        found, unread = [], {}
        for name, path in paths:
            try:
                found.append((name, path, os.path.realpath(path)))
            except OSError as error:
                unread[name] = _Folder(name, path, path), error
        homes = {real.rsplit("/", 2)[0] for name, _, real in found if real.endswith(f"/{self.name}/{name}")}
        if not own and homes and self._home not in homes:
            # Where links disagree about the folder that holds the pod's, the one that was first counts.
            self._home = min(homes, key=lambda home: (not self._place.roots.has(home), home))
        strays = []
        for name, path, real in found:
            if real == f"{self._home}/{self.name}/{name}":
                folders.setdefault(name, _Folder(name, path, real))
            else:
                strays.append(self._elsewhere(name, path))
        for name in unread.keys() - folders.keys():
            strays += self._unread(*unread[name])
        return strays

    def _own_folders(self) -> list[tuple[str, bool]]:
        """Return the names of containers' folders, and whether each is but a link."""
        entries, is_whole = _list(self._path)
        names = {
            entry.name: entry.is_symlink()
            for entry in entries
            if is_container_folder(entry.name) and (entry.is_symlink() or entry.is_dir(follow_symlinks=False))
        }
        if not is_whole:
            names.update((name, False) for name in self._followed_names() - names.keys())
        return self._known_first(names.items())

    def _known_first(self, named: Iterable[tuple[str, S]]) -> list[tuple[str, S]]:
        """Return no more than are looked at, by containers' names: those that are followed come first."""
        followed = self._followed_names()
        return sorted(named, key=lambda each: (each[0] not in followed, each))[:MOST_LOGS]

    def _followed_names(self) -> set[str]:
        return {container.name for container in self._known.values() if container.obstacle is None}

    def _list_all(
        self, folders: list[_Folder], strays: list[Container], spoken_of: Collection[tuple[str, int]]
    ) -> None:
        self.unsettled = False
        runs: list[_Run] = []
        unread: list[OSError] = []
        for folder in folders:
            self._place.watches.watch(folder.path, owner=self.name)
            numbers = [number for name, number in spoken_of if name == folder.name]
            try:
                runs += self._runs(folder, numbers)
            except OSError as error:
                unread.append(error)
                strays += self._unread(folder, error)
        if len(runs) > MOST_LOGS:
            detail = (
                f"more than {MOST_LOGS} logs are in the pod's folder: the ones followed before and the "
                "newest of each container come first, the rest is looked at when there are fewer"
            )
            strays.append(self._stray(Reason.TOO_MANY, detail))
            runs = self._most_wanted(runs)
        found = [self._container(run) for run in runs]
        self.containers = tuple(keep_equal(self._known, container) for container in (*found, *strays))
        self._known = {container.key: container for container in self.containers}
        self._place.rotations.settle(self.name, self._known.keys())
        self._place.watches.retain(self.name, {folder.path for folder in folders} | {self._path})
        if unread:
            raise unread[0]

    def _runs(self, folder: _Folder, numbers: Iterable[int]) -> Iterator[_Run]:
        """Return a container's runs: those with a log, those in rotation, and those that a link speaks of."""
        entries, is_whole = _list(folder.path)
        logs: dict[int, os.DirEntry[str] | None] = dict.fromkeys(numbers)
        rotated: set[int] = set()
        for entry in entries:
            run = parse_run_log(entry.name)
            if run is not None and run.rotated:
                logs.setdefault(run.number, None)
                rotated.add(run.number)
            elif run is not None:
                logs[run.number] = entry
        if not is_whole:
            for known in self._known.values():
                if known.name == folder.name and known.obstacle is None:
                    logs.setdefault(known.restart_count, None)
        return (_Run(folder, number, logs[number], number in rotated) for number in sorted(logs))

    def _most_wanted(self, runs: list[_Run]) -> list[_Run]:
        """Return as many as are followed: those that are, then the newest of each container, the next, ..."""
        newest = sorted(runs, key=lambda run: (run.folder.name, -run.number))
        by_container = itertools.groupby(newest, key=lambda run: run.folder.name)
        ranked = [(age, run) for _, group in by_container for age, run in enumerate(group)]
        ranked.sort(key=lambda each: (self._key(each[1]) not in self._known, each[0], each[1].folder.name))
        return [run for _, run in ranked[:MOST_LOGS]]

    def _key(self, run: _Run) -> str:
        return f"{self._prefix}/{run.folder.name}/{run.number}"

    def _container(self, run: _Run) -> Container:
        pod, name, key = self._pod, run.folder.name, self._key(run)
        known = self._known.get(key)
        found = self._look(run)
        settled = self._place.rotations.stay(
            found, known, unit=self.name, rotated=None if found.linked else run.rotated
        )
        may_go_unseen = found.linked or not os.path.isdir(os.path.dirname(found.target))
        self.unsettled = self.unsettled or (found.missing and may_go_unseen)
        docker_id = None if found.elsewhere else parse_docker_log(found.target)
        # A run's id never changes: what a link has told holds when the link has gone before the log.
        told = docker_id or self._place.id_of((self.name, name, run.number))
        return Container(
            key=key,
            layout=Layout.DOCKER if docker_id else Layout.CRI,
            id=told or (known.id if known else None),
            name=name,
            pod_name=pod.pod,
            namespace=pod.namespace,
            pod_uid=pod.uid,
            restart_count=run.number,
            log_path=settled.path,
            inode=settled.inode,
            obstacle=settled.obstacle,
        )

    def _look(self, run: _Run) -> Log:
        """Return a log that is the run's own, and an obstacle in place of any other."""
        folder, roots, path = run.folder, self._place.roots, f"{run.folder.path}/{run.number}.log"
        if run.entry is not None and _is_regular(run.entry):
            return regular(f"{folder.real}/{run.number}.log", roots, inode=run.entry.inode())
        found = locate(path, folder=folder.real, roots=roots)
        if found.obstacle is not None or not found.linked:
            return found
        home, name = os.path.split(found.target)
        # It lies in the runtime's folder for a container, and not in some pod's.
        if os.path.basename(home) == parse_docker_log(name) and not home.startswith(f"{self._home}/"):
            return found
        detail = f"{path} leads to {found.target}, which is not this container's log"
        return attrs.evolve(found, obstacle=Obstacle(Reason.OUTSIDE_FOLDER, detail))

    def _elsewhere(self, name: str, path: str) -> Container:
        detail = (
            f"{path} is not in this pod's folder, or leads out of it: a log is followed where it really is"
        )
        return self._stray(Reason.OUTSIDE_FOLDER, detail, name, at=path)

    def _unread(self, folder: _Folder, error: OSError) -> list[Container]:
        known = [container for container in self.containers if container.name == folder.name]
        problem = f"{folder.path} can't be read ({error.strerror}): it is tried again"
        return known or [self._stray(Reason.UNREADABLE, problem, folder.name)]

    def _stray(self, reason: Reason, detail: str, name: str = "", at: str = "") -> Container:
        """Return what stands for something in the pod's folder that is no run."""
        return Container(
            key=self._prefix + (f"/{name}" if name else "") + (f"@{at}" if at else ""),
            layout=Layout.CRI,
            name=name,
            pod_name=self._pod.pod,
            namespace=self._pod.namespace,
            pod_uid=self._pod.uid,
            obstacle=Obstacle(reason, detail),
        )


def _is_regular(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a regular file, where that is known without asking or can be asked."""
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:
        return False


def _list(folder: str) -> tuple[list[os.DirEntry[str]], bool]:
    """List a folder, or the beginning of one that is full; tell whether that is all of it."""
    try:
        with os.scandir(folder) as entries:
            found = list(itertools.islice(entries, MOST_ENTRIES + 1))
    except OSError as error:
        if is_absent(error):
            return [], True
        raise
    return found[:MOST_ENTRIES], len(found) <= MOST_ENTRIES
