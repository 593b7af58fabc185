"""The names of segments, which a shipper with a static configuration takes apart. Pure.

``<spool>/<namespace>_<pod>_<pod uid>/<container>-<container id>.<number>.log``
"""

from __future__ import annotations

import re
from pathlib import Path

import attrs

from kube_log_watcher_core.models import Container

WAITING = ".waiting"
"""The folder, inside the spool, of what must not be seen yet. No name in it ends in ``.log``."""

_LONGEST_NAME = 255
"""Bytes of a name, on every file system that a node may have."""
_POD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*_[A-Za-z0-9][A-Za-z0-9.-]*_[A-Za-z0-9][A-Za-z0-9.-]*")
_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*-[0-9a-f]{64}")
_SEGMENT = re.compile(r"(?P<stem>[A-Za-z0-9][A-Za-z0-9._-]*-[0-9a-f]{64})\.(?P<number>[0-9]{10})\.log")
_NOTE = re.compile(r"(?P<stem>[0-9a-f]{64})\.json(?P<new>\.new)?")
_KEPT = re.compile(r"(?P<stem>[0-9a-f]{64})\.(?P<number>[0-9]{10})\.kept")


@attrs.frozen
class Place:
    """Where a container's segments lie in a spool: its pod's folder, and how their names begin."""

    folder: str
    """``<namespace>_<pod>_<pod uid>``, as the kubelet names the pod's own folder."""
    stem: str
    """``<container>-<container id>``."""

    @property
    def container_id(self) -> str:
        """The container's id."""
        return self.stem[-64:]

    def segment(self, number: int) -> str:
        """Return the name of a segment. Numbers sort as text."""
        return f"{self.stem}.{number:010d}.log"

    def pattern(self, spool: Path) -> str:
        """Return the glob that matches all segments of the container, and nothing else."""
        return f"{spool}/{self.folder}/{self.stem}.*.log"


def place_of(*, namespace: str, pod: str, pod_uid: str, container: str, container_id: str) -> Place | None:
    """Return where a container's segments lie; None where its names would not fit.

    Names come from others: what is not made of the characters that Kubernetes allows could leave the
    folder, or mean something in a shipper's pattern.
    """
    folder, stem = f"{namespace}_{pod}_{pod_uid}", f"{container}-{container_id}"
    fits = len(folder) <= _LONGEST_NAME and len(Place(folder, stem).segment(1)) <= _LONGEST_NAME
    return Place(folder, stem) if fits and _POD.fullmatch(folder) and _STEM.fullmatch(stem) else None


def place_of_container(container: Container, container_id: str) -> Place | None:
    """Return where the segments of a container with this id lie; None where its names would not fit."""
    return place_of(
        namespace=container.namespace,
        pod=container.pod_name,
        pod_uid=container.pod_uid or "",
        container=container.name,
        container_id=container_id,
    )


def parse_segment(name: str) -> tuple[str, int] | None:
    """Return stem and number of a segment's name; None for any other name."""
    match = _SEGMENT.fullmatch(name)
    return (match["stem"], int(match["number"])) if match else None


def is_pod_folder(name: str) -> bool:
    """Whether a name may be that of a pod's folder."""
    return _POD.fullmatch(name) is not None


def kept_name(stem: str, number: int) -> str:
    """Return the name, in the folder `WAITING`, of a file that waits to become a segment."""
    return f"{stem}.{number:010d}.kept"


def parse_kept(name: str) -> tuple[str, int] | None:
    """Return stem and number of what waits; None for any other name."""
    match = _KEPT.fullmatch(name)
    return (match["stem"], int(match["number"])) if match else None


def note_name(stem: str) -> str:
    """Return the name, beside what waits, of the note that says whose it is."""
    return f"{stem}.json"


def parse_note(name: str) -> str | None:
    """Return whose note a name is, in the making or made: the stem; None for any other name."""
    match = _NOTE.fullmatch(name)
    return match["stem"] if match else None
