"""The lines that containers write and shippers ship: each says whose it is, its number, and a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import attrs

SECRET = "hunter2"  # noqa: S105 - made up, to be looked for
_LINE = re.compile(r"churn run=(?P<run>[\w./-]+) seq=(?P<seq>\d+) ")
_SEGMENT = re.compile(
    r"/(?P<namespace>[^/_]+)_(?P<pod>[^/_]+)_[^/_]+/(?P<container>[^/]+)-(?P<container_id>[0-9a-f]{64})\.\d+\.log$"
)
_IDENTITY = {
    "namespace": "namespace_name",
    "pod": "pod_name",
    "container": "container_name",
    "container_id": "container_id",
}


@attrs.frozen
class Numbered:
    """Which line it is."""

    run: str
    seq: int


@attrs.frozen
class Line:
    """A line as it was shipped."""

    message: str
    attributes: Mapping[str, Any]
    """The container's ``namespace``, ``pod``, ``container``, ``container_id``, and the pod's labels."""


def text_of(line: Numbered, *, version: str) -> str:
    """Return a line as the container writes it. `version` is the label that is valid at that moment."""
    return f"churn run={line.run} seq={line.seq} version={version} password={SECRET}-{line.seq} end"


def parse(message: str) -> Numbered | None:
    """Find out which line a message is; None for what no container of ours wrote."""
    found = _LINE.search(message)
    return Numbered(found["run"], int(found["seq"])) if found else None


def is_unredacted(message: str) -> bool:
    """Whether the secret can be read."""
    return SECRET in message


def by_path(path: str, message: str) -> Line | None:
    """Return a line with what its segment's path says of its container; None where that is no segment."""
    found = _SEGMENT.search(path)
    return Line(message, found.groupdict()) if found else None


def by_document(path: str, message: str, document: Mapping[str, Any] | str | None) -> Line:
    """Return a line with what a document of its container says, as `kube_log_watcher_static` makes them.

    What the document doesn't say, the segment's path does, where it is shipped: a line without any document
    has the right names then, and no labels.
    """
    told = json.loads(document) if isinstance(document, str) and document else document
    known = dict(told) if isinstance(told, Mapping) else {}
    names = {ours: known[theirs] for ours, theirs in _IDENTITY.items() if known.get(theirs)}
    found = _SEGMENT.search(path)
    return Line(message, {**(found.groupdict() if found else {}), **names, **known.get("labels", {})})
