"""The data that flows from discovery to the agents. All of it is frozen."""

from __future__ import annotations

import enum
import glob
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import attrs


class FrozenMap(Mapping[str, str]):
    """A mapping of strings that can't be changed and can be hashed: labels, annotations."""

    __slots__ = ("_hash", "_items")

    def __init__(self, items: Mapping[str, str] | None = None) -> None:
        self._items: dict[str, str] = dict(items or {})
        self._hash: int | None = None

    def __getitem__(self, key: str) -> str:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenMap):
            return self._items == other._items
        return NotImplemented

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._items.items()))
        return self._hash

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"


def as_frozen_map(items: Mapping[str, str] | None) -> FrozenMap:
    """Give a mapping as a `FrozenMap`, without copying one that is one."""
    return items if isinstance(items, FrozenMap) else FrozenMap(items)


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


@attrs.frozen
class Owner:
    """The controller of a pod, e.g. ``ReplicaSet shop-5d4``."""

    kind: str
    name: str


@attrs.frozen
class PodContainer:
    """A container's status inside a pod: what CRI folders don't tell."""

    name: str
    image: str = ""
    id: str = ""
    """64 hexadecimal digits; empty before the kubelet has reported it."""
    restart_count: int = 0


@attrs.frozen
class Pod:
    """What the Kubernetes API says of a pod, without the nine tenths that nobody here needs."""

    uid: str
    name: str
    namespace: str
    labels: FrozenMap = attrs.field(factory=FrozenMap, converter=as_frozen_map)
    annotations: FrozenMap = attrs.field(factory=FrozenMap, converter=as_frozen_map)
    owner: Owner | None = None
    node: str = ""
    containers: tuple[PodContainer, ...] = ()
    """Statuses of all kinds of containers: init, ordinary, ephemeral; also of their previous runs."""
    created: float | None = None
    """Seconds since the epoch, by the API server's clock."""
    deleted: float | None = None
    """Seconds since the epoch of the deletion timestamp; None for a pod that is not going."""

    @property
    def config_hash(self) -> str | None:
        """The uid that the kubelet gives a static pod's folder; None in any pod but a mirror of one.

        It is the annotation ``kubernetes.io/config.hash``, which any author can write: it is believed in
        a pod with ``kubernetes.io/config.mirror`` that its node owns.
        """
        if "kubernetes.io/config.mirror" not in self.annotations or self.owner != Owner("Node", self.node):
            return None
        return self.annotations.get("kubernetes.io/config.hash")


@attrs.frozen
class UnreadablePod:
    """A pod that the API shows, and of which no `Pod` can be made: too large, or without a name or uid.

    What is known of it as it was before stays.
    """

    uid: str
    name: str
    namespace: str
    detail: str
    """Why, for a person."""


class Pods:
    """All pods that the API showed for this node, as they stood at one moment."""

    __slots__ = ("_by_container", "_by_name", "_by_uid", "_unreadable")

    def __init__(self, pods: Iterable[Pod] = (), unreadable: Iterable[UnreadablePod] = ()) -> None:
        self._unreadable = tuple(unreadable)
        self._by_uid: dict[str, Pod] = {}
        self._by_name: dict[tuple[str, str], Pod] = {}
        self._by_container: dict[str, tuple[str, str]] | None = None
        for pod in pods:
            self._by_uid[pod.uid] = pod
            self._by_name[pod.namespace, pod.name] = pod

    def __len__(self) -> int:
        return len(self._by_uid)

    def __iter__(self) -> Iterator[Pod]:
        return iter(self._by_uid.values())

    def by_uid(self, uid: str) -> Pod | None:
        """Find a pod by its own uid."""
        return self._by_uid.get(uid)

    def by_name(self, namespace: str, name: str) -> Pod | None:
        """Find the pod that has this name now; a predecessor may have had it before."""
        return self._by_name.get((namespace, name))

    def owner_of(self, container_id: str) -> tuple[str, str] | None:
        """Find whose a container id is, by the pods' statuses: a pod's uid and a container's name."""
        if self._by_container is None:
            self._by_container = {
                status.id: (pod.uid, status.name) for pod in self for status in pod.containers if status.id
            }
        return self._by_container.get(container_id)

    def unreadable(self, uid: str | None, namespace: str, name: str) -> UnreadablePod | None:
        """Find the pod that the API shows with this uid, or else this name, but that can't be read."""
        return next(
            (
                pod
                for pod in self._unreadable
                if (uid and pod.uid == uid) or (pod.namespace, pod.name) == (namespace, name)
            ),
            None,
        )


@attrs.frozen(cache_hash=True)
class LogTarget:
    """One log to follow, with all that an agent may tell its shipper. The only thing an agent sees.

    Values come from pod authors and are not trusted: an agent writes them through a serializer,
    never into a template. Labels that a pod lacks are None.
    """

    id: str
    """The container id: 64 hexadecimal digits, safe in file names."""
    log_path: Path
    """The live log as the shipper sees it: resolved, then with ``WATCHER_LOG_PATH_MAP`` applied."""
    container: Container
    pod: Pod
    application: str | None
    """Label ``application``."""
    component: str | None
    """Label ``component``."""
    version: str | None
    """Label ``version``."""
    release: str | None
    """Label ``release``."""
    environment: str
    """Label ``environment``, else the cluster's environment."""
    image: str | None
    """The image's last path component, without tag and digest."""
    image_version: str | None
    """The image's tag, else its digest, else ``latest``."""
    cluster_id: str | None
    node: str
    """The node's name, ``unknown`` when it isn't known."""
    attributes: FrozenMap = attrs.field(factory=FrozenMap, converter=as_frozen_map)
    """Further labels, as ``WATCHER_LABELS_AS_ATTRIBUTES`` asks for."""
    pattern: str = attrs.field(
        default=attrs.Factory(lambda self: glob.escape(str(self.log_path)), takes_self=True)
    )
    """The glob of the files to read, as the shipper sees them: the log, or its segments in the spool."""

    @property
    def is_spooled(self) -> bool:
        """Whether `pattern` matches segments in the spool, which are never renamed or truncated."""
        return self.container.spool is not None

    def file(self, name: str) -> Path:
        """Return the path of one of the files that `pattern` matches, as the shipper sees it."""
        return Path(self.pattern).with_name(name)

    @property
    def container_name(self) -> str:
        """The container's name inside its pod."""
        return self.container.name

    @property
    def pod_name(self) -> str:
        """The pod's name."""
        return self.container.pod_name

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return self.container.namespace

    @property
    def layout(self) -> Layout:
        """How the log's lines are written."""
        return self.container.layout

    @property
    def labels(self) -> FrozenMap:
        """All labels of the pod."""
        return self.pod.labels

    @property
    def annotations(self) -> FrozenMap:
        """All annotations of the pod."""
        return self.pod.annotations


@attrs.frozen
class Skipped:
    """A container that is not followed, and why."""

    container: Container
    reason: Reason
    detail: str = ""
    """What would change that, for a person."""


@attrs.frozen
class Remark:
    """Something in a pod's annotations that was not understood, and is therefore ignored."""

    container: Container
    annotation: str
    detail: str


@attrs.frozen
class Departed:
    """A target whose log is gone from the disk: its shipper may still be reading it."""

    target: LogTarget
    since: float
    """Seconds since the epoch at which it was found gone."""
    size: int | None = None
    """The log's size in bytes when it was seen last; None when it never was."""
    began: float = attrs.field(default=math.inf, eq=False)
    """The same moment by this process's monotonic clock, which nobody sets: the drain is measured by it."""

    @property
    def drain(self) -> tuple[str, float]:
        """Names this drain: a log that comes back and goes again drains anew."""
        return self.target.container.key, self.began


@attrs.frozen
class Work:
    """What agents are handed: logs that are there, and logs that are gone but not drained."""

    targets: tuple[LogTarget, ...] = ()
    departed: tuple[Departed, ...] = ()


@attrs.frozen
class LogFile:
    """One of the files that a log has had."""

    path: Path
    """As the shipper sees it."""
    inode: int | None = None
    """None where it is not known. Inodes are used again within seconds: only both together name a file."""


@attrs.frozen
class Progress:
    """How far a shipper has read a file, by its own account."""

    read_bytes: int
    """The offset up to which it has shipped the log's present file."""
    at: float
    """Seconds since the epoch at which the shipper wrote that down."""
    pending: bool = False
    """Whether it knows of more to read: in this file, or in another of the same log, rotated away."""
    closed: bool = False
    """Whether it has let go of the log: the file is gone, and all that it saw of it is shipped."""


@attrs.frozen
class NodeContext:
    """What every agent may know about where it runs."""

    cluster_id: str | None = None
    node: str = "unknown"
    cluster_alias: str = "none"
    cluster_environment: str = "production"
    has_spool: bool = False
    """Whether new logs are kept in a spool: each segment is a new file for the shipper to find."""
    spool_dirs: tuple[Path, ...] = ()
    """The spool's folders as the shipper sees them, with ``WATCHER_LOG_PATH_MAP`` applied."""
