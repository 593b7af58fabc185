"""The names that the kubelet, CRI runtimes and Docker give to folders, links and logs. Pure."""

from __future__ import annotations

import re

import attrs

_ID = re.compile(r"[0-9a-f]{64}")
# Kubernetes' own names, a little wider; what is not of this kind is nobody's container.
_NAME = r"[A-Za-z0-9][A-Za-z0-9.-]*"
_POD_FOLDER = re.compile(rf"({_NAME})_({_NAME})_({_NAME})")
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_RUN_LOG = re.compile(r"(0|[1-9][0-9]{0,9})\.log(\..+)?")
_LINK = re.compile(rf"({_NAME})_({_NAME})_([A-Za-z0-9._-]+?)(?:-([0-9a-f]{{64}}))?\.log")
_DOCKER_LOG = re.compile(r"([0-9a-f]{64})-json\.log")


@attrs.frozen
class PodFolder:
    """What ``<namespace>_<pod>_<uid>`` says."""

    namespace: str
    pod: str
    uid: str


@attrs.frozen
class RunLog:
    """What ``<N>.log`` and its rotated siblings ``<N>.log.<anything>`` say."""

    number: int
    rotated: bool


@attrs.frozen
class RunPath:
    """A path ``.../<namespace>_<pod>_<uid>/<container>/<N>.log``, taken apart."""

    folder: str
    """The path of the container's folder."""
    pod: str
    """The name of the pod's folder."""
    container: str
    number: int


@attrs.frozen
class LinkName:
    """What ``<pod>_<namespace>_<container>-<id>.log`` says. An over-long name is cut and has no id."""

    pod: str
    namespace: str
    container: str
    id: str | None


def is_container_id(name: str) -> bool:
    """Whether a name is 64 hexadecimal digits."""
    return _ID.fullmatch(name) is not None


def parse_pod_folder(name: str) -> PodFolder | None:
    """Take the name of a pod's folder apart."""
    match = _POD_FOLDER.fullmatch(name)
    return PodFolder(*match.groups()) if match else None


def is_container_folder(name: str) -> bool:
    """Whether a folder in a pod's folder may be a container's."""
    return _CONTAINER.fullmatch(name) is not None


def parse_run_log(name: str) -> RunLog | None:
    """Take the name of a file in a container's folder apart."""
    match = _RUN_LOG.fullmatch(name)
    return RunLog(int(match[1]), rotated=match[2] is not None) if match else None


def parse_run_path(path: str) -> RunPath | None:
    """Take the path of a run's live log apart."""
    folder, _, file = path.rpartition("/")
    rest, _, container = folder.rpartition("/")
    pod = rest.rpartition("/")[2]
    run = parse_run_log(file)
    if run is None or run.rotated or not is_container_folder(container) or parse_pod_folder(pod) is None:
        return None
    return RunPath(folder=folder, pod=pod, container=container, number=run.number)


def parse_link_name(name: str) -> LinkName | None:
    """Take the name of one of the kubelet's links apart."""
    match = _LINK.fullmatch(name)
    return LinkName(*match.groups()) if match else None


def docker_log_name(container_id: str) -> str:
    """Name the log that Docker's json-file driver writes."""
    return f"{container_id}-json.log"


def parse_docker_log(path: str) -> str | None:
    """Return the container id of a log that Docker's json-file driver writes, None for any other file."""
    match = _DOCKER_LOG.fullmatch(path.rpartition("/")[2])
    return match[1] if match else None
