"""The pods as they are known, for one writer and any number of readers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping

from kube_log_watcher_core.models import Pod, Pods, UnreadablePod

MOST_GONE = 256
"""So many pods' last states are kept for who asks: far more than leave between two looks at the node."""


class PodStore:
    """Pods by uid. Each method that writes tells whether that changed anything.

    A pod that a list or an event shows unchanged stays the same object, so that what was derived from it
    can be kept by identity.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_uid: dict[str, Pod] = {}
        self._gone: dict[str, Pod] = {}
        self._unreadable: tuple[UnreadablePod, ...] = ()
        self._snapshot: Pods | None = None
        self._synced = False

    @property
    def synced(self) -> bool:
        """Whether all pods were known at one moment at least."""
        with self._lock:
            return self._synced

    def pods(self) -> Pods:
        """Return all pods; the same object until something changes."""
        with self._lock:
            if self._snapshot is None:
                self._snapshot = Pods(self._by_uid.values(), self._unreadable)
            return self._snapshot

    @property
    def unreadable(self) -> tuple[UnreadablePod, ...]:
        """The pods that are there and can't be read. What was known of them before is known still."""
        with self._lock:
            return self._unreadable

    def replace(self, pods: Iterable[Pod], unreadable: Iterable[UnreadablePod] = ()) -> bool:
        """Take these pods, and no others, as the whole truth."""
        with self._lock:
            unreadable = tuple(unreadable)
            kept = {pod.uid: self._known(pod) for pod in pods}
            for each in unreadable:
                if each.uid in self._by_uid:
                    kept.setdefault(each.uid, self._by_uid[each.uid])
            first, self._synced = not self._synced, True
            return self._become(kept, unreadable) or first

    def put(self, pod: Pod) -> bool:
        """Add a pod, or take its new state. A predecessor of the same name goes."""
        with self._lock:
            kept = self._without(lambda each: each.uid != pod.uid and _name(each) == _name(pod))
            rest = tuple(each for each in self._unreadable if not _is_same(each, pod))
            return self._become({**kept, pod.uid: self._known(pod)}, rest)

    def put_unreadable(self, pod: UnreadablePod) -> bool:
        """Add a pod that can't be read, or whose new state can't."""
        with self._lock:
            rest = tuple(each for each in self._unreadable if not _is_same(each, pod))
            return self._become(self._by_uid, (*rest, pod))

    def remove(self, pod: Pod | UnreadablePod) -> bool:
        """Remove a pod; what it was at last may differ from all that was seen of it before."""
        with self._lock:
            rest = tuple(each for each in self._unreadable if not _is_same(each, pod))
            changed = self._become(self._without(lambda each: each.uid == pod.uid), rest)
            if isinstance(pod, Pod):
                self._gone[pod.uid] = pod
            return changed

    def remove_named(self, namespace: str, name: str) -> bool:
        """Remove the pod with this name."""
        with self._lock:
            rest = tuple(each for each in self._unreadable if _name(each) != (namespace, name))
            return self._become(self._without(lambda each: _name(each) == (namespace, name)), rest)

    def keep_named(self, names: Collection[tuple[str, str]]) -> bool:
        """Remove all pods but those with these names."""
        with self._lock:
            rest = tuple(each for each in self._unreadable if _name(each) in names)
            return self._become(self._without(lambda each: _name(each) not in names), rest)

    def mark_synced(self) -> bool:
        """Say that what was asked for singly is complete."""
        with self._lock:
            first, self._synced = not self._synced, True
            return first

    def take_gone(self) -> Mapping[str, Pod]:
        """Return, by uid, the last states of the pods that have left since the last call."""
        with self._lock:
            gone, self._gone = self._gone, {}
            return gone

    def _without(self, leaves: Callable[[Pod], bool]) -> dict[str, Pod]:
        return {uid: pod for uid, pod in self._by_uid.items() if not leaves(pod)}

    def _known(self, pod: Pod) -> Pod:
        known = self._by_uid.get(pod.uid)
        return known if known is not None and known == pod else pod

    def _become(self, pods: dict[str, Pod], unreadable: tuple[UnreadablePod, ...]) -> bool:
        # By identity: `_known` has made equal ones the same. A list's order tells nothing.
        same = pods.keys() == self._by_uid.keys() and all(pods[uid] is self._by_uid[uid] for uid in pods)
        if same and unreadable == self._unreadable:
            return False
        left = {uid: pod for uid, pod in self._by_uid.items() if uid not in pods}
        gone = {**{uid: pod for uid, pod in self._gone.items() if uid not in pods}, **left}
        self._gone = dict(list(gone.items())[-MOST_GONE:])
        self._by_uid, self._unreadable = pods, unreadable
        self._snapshot = None
        return True


def _name(pod: Pod | UnreadablePod) -> tuple[str, str]:
    return pod.namespace, pod.name


def _is_same(one: UnreadablePod, other: Pod | UnreadablePod) -> bool:
    return bool(one.uid and one.uid == other.uid) or _name(one) == _name(other)
