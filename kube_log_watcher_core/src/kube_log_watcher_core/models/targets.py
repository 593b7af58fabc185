"""What follows from both, and what agents are handed: targets, work, and how far a shipper has read."""

from __future__ import annotations

import glob
import math
from pathlib import Path

import attrs

from kube_log_watcher_core.models.containers import Container, Layout, Reason
from kube_log_watcher_core.models.pods import FrozenMap, Pod, as_frozen_map


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
class Objection:
    """What a pod asks for and an agent does not do: it holds the log, or leaves out a part.

    It is told wherever somebody asks what becomes of the log. One that holds it says that nothing of the log
    is shipped: it is neither followed nor forgotten until its pod's author has mended it.
    """

    target: LogTarget
    annotation: str
    """What asks for it, by its whole name; empty where it is no annotation."""
    reason: str
    """What is wrong, for the pod's author."""
    remedy: str = ""
    """What would mend it, where the reason doesn't say so already."""
    holds: bool = False
    """Whether the log is not shipped; else only a part of what is asked for is left out."""
    until: str = "this is mended"
    """How long it is held, to complete "the log is not shipped until ..."."""

    def __str__(self) -> str:
        """Return it on one line: whose, what, why, and what becomes of the log."""
        it = self.target
        where = f"pod {it.namespace}/{it.pod_name}, container {it.container_name}"
        where += f", {self.annotation}" if self.annotation else ""
        outcome = f"; the log is not shipped until {self.until}" if self.holds else ""
        return f"{where}: {self.reason}{outcome}"


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
