"""What the Kubernetes API shows: the pods of this node. All of it is frozen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import attrs


def epoch_seconds(timestamp: object) -> float | None:
    """Return an RFC 3339 timestamp in seconds since the epoch; None when it is absent or none."""
    if not isinstance(timestamp, str):
        return None
    try:
        moment = datetime.fromisoformat(timestamp)
        return moment.timestamp() if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


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
