"""What happens on a node, and when."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import attrs

AFTER_SECONDS = 1.0
"""An event may cost lines that were written up to so long before it: they were not read yet."""


class Kind(enum.Enum):
    """The kinds of events; their values are the rows of the table."""

    STARTED = "container started"
    ENDED = "container ended with a burst"
    RESTARTED = "container restarted"
    ROTATED_DOCKER = "rotated, Docker's chain"
    ROTATED_KUBELET = "rotated by the kubelet, the one before compressed"
    ROTATED_WHILE_DOWN = "rotated while the shipper was down"
    RELABELLED = "labels changed"
    REANNOTATED = "annotations changed"
    BAD_ANNOTATION = "bad annotation came"
    TAKEN_OVER = "name taken over by a new pod, the one before still writes"
    WITHDRAWN = "pod excluded, or redaction asked for, while it was shipped"
    UNWANTED = "pod came that must not be followed"
    MENDED = "unusable redaction rule mended"
    DELETED = "pod deleted: files and API object gone"
    FORCED = "pod deleted by force: API object gone first"
    COMPLETED = "job completed: files outlive the API object"
    SUDDEN = "pod gone with unread lines"
    WATCHER_KILLED = "watcher killed"
    WATCHER_STARTED = "watcher started again"
    SHIPPER_STOPPED = "shipper stopped"
    SHIPPER_KILLED = "shipper killed"
    SHIPPER_ENDED = "shipper ended by a fault of its own"
    SHIPPER_STARTED = "shipper started again"
    REFUSED = "receiver refuses everything"
    ACCEPTED = "receiver takes everything again"


@attrs.frozen
class Event:
    """Something that happened. Times are seconds of one monotonic clock."""

    kind: Kind
    at: float
    lane: str
    pod: str | None = None
    """The pod that it happened to; None for what concerns the whole node."""


def nearest(
    events: Iterable[Event], *, lane: str, pod: str, begin: float, end: float, after: float = AFTER_SECONDS
) -> Event | None:
    """Find the event that most likely explains something which went on from `begin` to `end`.

    That is the one closest to the span; of several within it, the last. An event of the pod is
    taken before one of the node, when both are as close.
    """
    near = [
        (round(max(begin - event.at, event.at - end, 0.0), 1), event.pod is None, -event.at, event)
        for event in events
        if event.lane == lane and event.pod in (None, pod) and event.at <= end + after
    ]
    return min(near, key=lambda item: item[:3])[3] if near else None
