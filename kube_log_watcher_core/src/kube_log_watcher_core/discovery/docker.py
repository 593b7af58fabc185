"""A container's folder as Docker leaves it: ``<id>/config.v2.json`` and ``<id>/<id>-json.log``."""

from __future__ import annotations

import os
import stat

import attrs

from kube_log_watcher_core.discovery.config_v2 import (
    CONTAINER_NAME,
    POD_NAME,
    POD_NAMESPACE,
    POD_UID,
    BrokenConfig,
    DockerConfig,
    parse_config,
)
from kube_log_watcher_core.discovery.logfile import Log, is_absent, locate
from kube_log_watcher_core.discovery.names import docker_log_name
from kube_log_watcher_core.discovery.place import Place, keep_equal
from kube_log_watcher_core.files.signature import signature_of
from kube_log_watcher_core.models import Container, Layout, Obstacle, Reason

CONFIG = "config.v2.json"
_LARGEST_CONFIG = 16 * 1024 * 1024


class DockerFolder:
    """One container. The folder comes before its files, and they go in no fixed order."""

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self.containers: tuple[Container, ...] = ()
        self.unsettled = False
        self._place = place
        self._log_name = docker_log_name(name)
        self._config: DockerConfig | None = None
        self._signature: tuple[int, int, int] | None = None
        self._problem = Obstacle(Reason.NO_CONFIG)

    def concerns(self, name: str) -> bool:
        """Docker also writes hosts, resolv.conf and more."""
        return name in ("", CONFIG, self._log_name)

    def unreadable(self, problem: str) -> Container:
        """Return what stands for the container while its folder could never be looked at."""
        return Container(
            key=self.name, id=self.name, layout=Layout.DOCKER, obstacle=Obstacle(Reason.UNREADABLE, problem)
        )

    def refresh(self) -> bool:
        """Look at the folder again. Raises OSError when it can't be looked at."""
        folder = f"{self._place.root}/{self.name}"
        try:
            mode = os.lstat(folder).st_mode
            plain = stat.S_ISDIR(mode)
            if not plain and not stat.S_ISDIR(os.stat(folder).st_mode):
                return False
        except OSError as error:
            if is_absent(error):
                return False
            raise
        # Docker replaces its file by a rename. Whoever else repairs it may write in place; once there are
        # good data those don't matter any more, and neither should each closing of the log wake us.
        unknown = self._config is None
        self._place.watches.watch(folder, owner=self.name, written=unknown)
        self._read(f"{folder}/{CONFIG}")
        if unknown and self._config is not None:
            self._place.watches.watch(folder, owner=self.name)
        found = self._find_log(folder, plain=plain)
        known = {container.key: container for container in self.containers}
        self.containers = (keep_equal(known, self._container(found)),)
        self.unsettled = found.missing and found.linked
        return True

    def _read(self, path: str) -> None:
        """Read the configuration unless it is the same. Good data outlive a broken or removed file."""
        try:
            signature = signature_of(os.lstat(path))
            if signature != self._signature:
                self._config = parse_config(read_bounded(path))
                self._signature = signature
        except FileNotFoundError:
            detail = f"{path} is not there; it is read as soon as it is"
            self._problem = Obstacle(Reason.NO_CONFIG, detail)
        except OSError as error:
            detail = f"{path} can't be read ({error.strerror}); it is tried again"
            self._problem = Obstacle(Reason.BROKEN_CONFIG, detail)
        except BrokenConfig as error:
            detail = f"{path} can't be understood ({error}); it is read again when it changes"
            self._problem = Obstacle(Reason.BROKEN_CONFIG, detail)

    def _find_log(self, folder: str, *, plain: bool) -> Log:
        real = f"{self._place.real}/{self.name}" if plain else None
        found = locate(f"{folder}/{self._log_name}", folder=real, roots=self._place.roots)
        if found.obstacle is None and os.path.basename(found.target) != self._log_name:
            detail = f"{folder}/{self._log_name} leads to {found.target}, which is not this container's log"
            found = attrs.evolve(found, obstacle=Obstacle(Reason.OUTSIDE_FOLDER, detail))
        known = self.containers[0] if self.containers else None
        return self._place.rotations.stay(found, known, unit=self.name)

    def _container(self, found: Log) -> Container:
        config = self._config
        if config is None:
            return Container(key=self.name, id=self.name, layout=Layout.DOCKER, obstacle=self._problem)
        obstacle_or_none = config.obstacle or found.obstacle
        return Container(
            key=self.name,
            id=self.name,
            layout=Layout.DOCKER,
            name=config.labels.get(CONTAINER_NAME, ""),
            pod_name=config.labels.get(POD_NAME, ""),
            namespace=config.labels.get(POD_NAMESPACE, ""),
            pod_uid=config.labels.get(POD_UID) or None,
            restart_count=config.restart_count,
            log_path=None if obstacle_or_none else found.path,
            inode=None if obstacle_or_none else found.inode,
            image=config.image,
            created=config.created,
            obstacle=obstacle_or_none,
        )


def read_bounded(path: str) -> bytes:
    """Read a regular file of sensible size. Raises OSError, BrokenConfig.

    Neither a FIFO nor a link is to stop or mislead us.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BrokenConfig("not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(_LARGEST_CONFIG + 1)
    finally:
        os.close(descriptor)
    if len(content) > _LARGEST_CONFIG:
        raise BrokenConfig(f"larger than {_LARGEST_CONFIG} bytes")
    return content
