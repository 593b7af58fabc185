"""A link ``<pod>_<namespace>_<container>-<id>.log`` that leads straight to Docker's log."""

from __future__ import annotations

import os

import attrs

from kube_log_watcher_core.discovery.links import ContainerLink
from kube_log_watcher_core.discovery.logfile import Log, locate
from kube_log_watcher_core.discovery.names import parse_docker_log
from kube_log_watcher_core.discovery.place import Place, keep_equal
from kube_log_watcher_core.models import Container, Layout, Obstacle, Reason


class LinkedLog:
    """A link in the containers folder that leads to no pod's folder: its name and its target must do.

    There was a time when the kubelet's links led straight to Docker's logs. Nothing else is followed: a
    link's name is no evidence of whose the file is.
    """

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self.containers: tuple[Container, ...] = ()
        self.unsettled = False
        self._place = place

    def concerns(self, name: str) -> bool:
        """Nothing is watched for a link but the folder that it lies in."""
        return False

    def unreadable(self, problem: str) -> Container:
        """Return what stands for the link while it could never be looked at."""
        return Container(key=self.name, layout=Layout.CRI, obstacle=Obstacle(Reason.UNREADABLE, problem))

    def refresh(self) -> bool:
        """Look at the link again."""
        link = self._place.linked.get(self.name)
        if link is None or link.run is not None:
            return False
        found = locate(f"{self._place.root}/{self.name}", folder=None, roots=self._place.roots)
        known = {container.key: container for container in self.containers}
        settled = self._place.rotations.stay(
            self._own(found, link), self.containers[0] if self.containers else None, unit=self.name
        )
        self.containers = (keep_equal(known, self._container(settled, link)),)
        self._place.rotations.settle(self.name, {self.containers[0].key})
        self.unsettled = found.missing
        return True

    def _own(self, found: Log, link: ContainerLink) -> Log:
        """Return a log that is the link's own, and an obstacle in place of any other."""
        container_id = parse_docker_log(found.target)
        if found.obstacle is not None or link.parsed is None:
            return found
        named = link.parsed.id in (None, container_id)
        if container_id and named and os.path.basename(os.path.dirname(found.target)) == container_id:
            return found
        detail = f"the link leads to {found.target}, which is not the log of the container that it names"
        return attrs.evolve(found, obstacle=Obstacle(Reason.OUTSIDE_FOLDER, detail))

    def _container(self, found: Log, link: ContainerLink) -> Container:
        parsed = link.parsed
        docker_id = None if found.elsewhere else parse_docker_log(found.target)
        layout = Layout.DOCKER if docker_id else Layout.CRI
        if parsed is None:
            nobody = Obstacle(Reason.NOT_KUBERNETES, "no kubelet's link: its name tells no container")
            return Container(key=docker_id or self.name, layout=layout, id=docker_id, obstacle=nobody)
        container_id = docker_id or parsed.id
        return Container(
            key=docker_id or self.name,
            layout=layout,
            id=container_id,
            name=parsed.container,
            pod_name=parsed.pod,
            namespace=parsed.namespace,
            log_path=found.path,
            inode=found.inode,
            obstacle=found.obstacle,
        )
