"""A pod's folder as the kubelet leaves it: ``<namespace>_<pod>_<uid>/<container>/<N>.log``."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping

import attrs

from kube_log_watcher_core.discovery.links import Run
from kube_log_watcher_core.discovery.logfile import Log, locate, regular
from kube_log_watcher_core.discovery.names import (
    PodFolder,
    is_container_folder,
    parse_docker_log,
    parse_run_log,
)
from kube_log_watcher_core.discovery.place import Place, keep_equal, stay_through_rotation
from kube_log_watcher_core.models import Container, Layout, Obstacle, Reason

logger = logging.getLogger(__name__)


@attrs.frozen
class _Folder:
    """A container's folder."""

    path: str
    real: str | None
    """Its resolved path where that is known without asking, because no link is on the way."""


class PodLogs:
    """All runs of all containers of one pod.

    The pod's folder stands in the containers folder, or links in the containers folder lead to it. The
    folder is the truth: an over-long link goes on pointing at ``0.log`` when ``1.log`` is live.
    """

    def __init__(self, name: str, place: Place, folder: PodFolder) -> None:
        self.name = name
        self.containers: tuple[Container, ...] = ()
        self.unsettled = False
        self._place = place
        self._pod = folder
        self._path = f"{place.root}/{name}"
        self._created: float | None = None
        self._known: dict[str, Container] = {}
        self._problem = ""

    def concerns(self, name: str) -> bool:
        """Containers' folders, logs and rotated logs: there is nothing else in a pod's folder."""
        return True

    def refresh(self) -> bool:
        """Look at the pod's folder again."""
        linked = self._place.linked.runs_of(self.name)
        own = os.path.isdir(self._path)
        if not own and not linked:
            return False
        self._remember_age(self._path if own else os.path.dirname(next(iter(linked.values()))))
        try:
            self._list_all(linked, own=own)
        except OSError as error:
            self._complain(f"{error.filename} can't be read ({error.strerror}): what is known of it stays")
        else:
            self._complain("")
        return True

    def _complain(self, problem: str) -> None:
        if problem != self._problem:
            logger.warning("%s", problem or f"all of {self._path} can be read again")
        self._problem = problem

    def _list_all(self, linked: Mapping[Run, str], *, own: bool) -> None:
        self.unsettled = False
        folders = self._folders(linked, own=own)
        found = [one for name, folder in folders.items() for one in self._runs(name, folder, linked)]
        self.containers = tuple(keep_equal(self._known, container) for container in found)
        self._known = {container.key: container for container in self.containers}
        watched = {folder.path for folder in folders.values()}
        self._place.watches.retain(self.name, watched | {self._path})

    def _remember_age(self, folder: str) -> None:
        # Once: the time moves on with each container that joins.
        if self._created is None:
            try:
                self._created = os.stat(folder).st_mtime
            except OSError:
                return

    def _folders(self, linked: Mapping[Run, str], *, own: bool) -> dict[str, _Folder]:
        folders = {run[1]: _Folder(path, None) for run, path in linked.items()}
        if own:
            self._place.watches.watch(self._path, owner=self.name)
            folders.update(self._own_folders())
        return folders

    def _own_folders(self) -> Iterator[tuple[str, _Folder]]:
        real = f"{self._place.real}/{self.name}" if not os.path.islink(self._path) else None
        for entry in _list(self._path):
            if is_container_folder(entry.name) and entry.is_dir():
                plain = real is not None and not entry.is_symlink()
                yield entry.name, _Folder(entry.path, f"{real}/{entry.name}" if plain else None)

    def _runs(self, name: str, folder: _Folder, linked: Mapping[Run, str]) -> Iterator[Container]:
        """Give a container's runs: those with a log, those in rotation, and those that a link speaks of."""
        self._place.watches.watch(folder.path, owner=self.name)
        logs: dict[int, Log | None] = {}
        for entry in _list(folder.path):
            run = parse_run_log(entry.name)
            if run is not None and run.rotated:
                logs.setdefault(run.number, None)
            elif run is not None:
                logs[run.number] = self._look(entry, folder)
        for _, container, number in linked:
            if container == name:
                logs.setdefault(number, None)
        for number in sorted(logs):
            yield self._container(name, number, logs[number] or self._locate(folder, number))

    def _look(self, entry: os.DirEntry[str], folder: _Folder) -> Log:
        if folder.real is not None and entry.is_file(follow_symlinks=False):
            return regular(f"{folder.real}/{entry.name}", self._place.roots)
        return locate(entry.path, folder=folder.real, roots=self._place.roots)

    def _locate(self, folder: _Folder, number: int) -> Log:
        return locate(f"{folder.path}/{number}.log", folder=folder.real, roots=self._place.roots)

    def _container(self, name: str, number: int, found: Log) -> Container:
        pod = self._pod
        key = f"{pod.namespace}/{pod.pod}/{pod.uid}/{name}/{number}"
        known = self._known.get(key)
        settled = stay_through_rotation(found, known)
        self.unsettled = self.unsettled or (found.missing and self._may_go_unseen(found))
        return Container(
            key=key,
            layout=Layout.DOCKER if parse_docker_log(found.target) else Layout.CRI,
            id=self._id((self.name, name, number), found, known),
            name=name,
            pod_name=pod.pod,
            namespace=pod.namespace,
            pod_uid=pod.uid,
            restart_count=number,
            log_path=settled.path,
            created=self._created,
            obstacle=settled.obstacle,
        )

    def _id(self, run: Run, found: Log, known: Container | None) -> str | None:
        # A run's id never changes: what a link has told holds when the link has gone before the log.
        told = parse_docker_log(found.target) or self._place.id_of(run)
        return told or (known.id if known else None)

    def _may_go_unseen(self, found: Log) -> bool:
        return found.linked or not os.path.isdir(os.path.dirname(found.target))


class LinkedLog:
    """A link in the containers folder that leads to no pod's folder: its name and its target must do."""

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self.containers: tuple[Container, ...] = ()
        self.unsettled = False
        self._place = place

    def concerns(self, name: str) -> bool:
        """Nothing is watched for a link but the folder that it lies in."""
        return False

    def refresh(self) -> bool:
        """Look at the link again."""
        link = self._place.linked.get(self.name)
        if link is None or link.run is not None:
            return False
        found = locate(f"{self._place.root}/{self.name}", folder=None, roots=self._place.roots)
        known = {container.key: container for container in self.containers}
        settled = stay_through_rotation(found, self.containers[0] if self.containers else None)
        self.containers = (keep_equal(known, self._container(settled)),)
        self.unsettled = found.missing
        return True

    def _container(self, found: Log) -> Container:
        link = self._place.linked.get(self.name)
        parsed = link.parsed if link else None
        docker_id = parse_docker_log(found.target)
        layout = Layout.DOCKER if docker_id else Layout.CRI
        if parsed is None:
            nobody = Obstacle(Reason.NOT_KUBERNETES, "no kubelet's link: its name tells no container")
            return Container(key=docker_id or self.name, layout=layout, id=docker_id, obstacle=nobody)
        container_id = docker_id or parsed.id
        return Container(
            key=container_id or self.name,
            layout=layout,
            id=container_id,
            name=parsed.container,
            pod_name=parsed.pod,
            namespace=parsed.namespace,
            log_path=found.path,
            obstacle=found.obstacle,
        )


def _list(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
