"""What the node's folders show: containers and their logs, and what stands against following one."""

from __future__ import annotations

import enum
from pathlib import Path

import attrs


class Layout(enum.Enum):
    """How a log is written: by Docker's json-file driver, or by a CRI runtime."""

    DOCKER = "docker"
    CRI = "cri"


class Reason(enum.Enum):
    """Why a container is not a target. The values are stable: metrics and ``explain`` use them."""

    PAUSE = "pause-container"
    NOT_KUBERNETES = "not-kubernetes"
    NO_CONFIG = "no-config-file"
    BROKEN_CONFIG = "broken-config"
    NO_LOG = "no-log-file"
    NOT_A_FILE = "not-a-regular-file"
    OUTSIDE_ROOTS = "outside-log-roots"
    UNREADABLE = "unreadable"
    OUTSIDE_FOLDER = "outside-its-folder"
    TOO_MANY = "too-many-logs"
    TAKEN = "taken-by-another"
    POD_AWAITED = "pod-awaited"
    POD_UNKNOWN = "pod-unknown"
    POD_REPLACED = "pod-replaced"
    POD_UNREADABLE = "pod-unreadable"
    ID_UNKNOWN = "container-id-unknown"
    LABEL_MISSING = "label-missing"
    NAMESPACE_EXCLUDED = "namespace-excluded"
    EXCLUDED = "excluded-by-annotation"


@attrs.frozen
class Obstacle:
    """What on the node itself stands against following a container."""

    reason: Reason
    detail: str = ""


@attrs.frozen
class Container:
    """A container's run as the node's folders show it.

    A folder that can't be understood is a container too, with an `obstacle`: nothing is left out in silence.
    """

    key: str
    """Names the run for good: the container id (Docker) or ``namespace/pod/uid/container/N`` (CRI)."""
    layout: Layout
    id: str | None = None
    """64 hexadecimal digits, or None while the node does not tell (CRI, before its link is there)."""
    name: str = ""
    pod_name: str = ""
    namespace: str = ""
    pod_uid: str | None = None
    """The pod's uid as the node has it. A static pod's is its configuration's hash."""
    restart_count: int = 0
    log_path: Path | None = None
    """The resolved path of the log, a regular file under one of the log roots; None with an obstacle."""
    inode: int | None = attrs.field(default=None, eq=False)
    """The log's inode, another one after each rotation; None while it is being rotated."""
    image: str | None = None
    """The image reference, when the node knows it (Docker)."""
    created: float | None = None
    """Seconds since the epoch at which the runtime made the container, where it says so (Docker)."""
    spool: Path | None = None
    """The folder in which the spool keeps the log's files; None for a log that is followed by its path."""
    obstacle: Obstacle | None = None
