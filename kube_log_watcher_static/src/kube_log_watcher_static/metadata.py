"""What is told of a log: one document, with the same names for all shippers. Pure."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from typing import Any

from kube_log_watcher_core import LogTarget
from kube_log_watcher_static.redaction import redaction_asked

Document = Mapping[str, Any]
"""What JSON can hold; texts in it come from pod authors."""

MOST_BYTES = 32 * 1024
"""Of a document as JSON. A shipper attaches all of it to each line, and some hold a table in memory."""

LONGEST_VALUE = 1000
"""Characters of a label's or annotation's value that are told. Kubernetes allows a label 63."""


def metadata_of(target: LogTarget, *, annotations: Container[str] = ()) -> Document:
    """Return what is told of a log.

    Names are those that Kubernetes filters of shippers give: ``namespace_name``, ``pod_name``, ``pod_id``,
    ``container_name``, ``container_id``, ``container_image``, ``host``, ``labels``, ``annotations``. What the
    watcher derives stands beside them: ``cluster_id``, ``environment``, ``application``, ``component``,
    ``version``, ``release``, ``image``, ``image_version``. What is not known has no entry.

    ``held`` names the annotation by which the pod asks for a redaction. Lines with it are not to be shipped:
    it may come when the shipper has begun to read the log already.

    Parameters
    ----------
    annotations
        names of those that are told: others may be large, or nobody's business.

    Values end after `LONGEST_VALUE` characters. A document beyond `MOST_BYTES` loses its annotations, then
    its labels, and says so in ``truncated``.
    """
    told = {
        "namespace_name": target.namespace,
        "pod_name": target.pod_name,
        "pod_id": target.pod.uid,
        "host": target.node,
        "container_name": target.container_name,
        "container_id": target.id,
        "container_image": target.container.image or _image_in_status(target),
        "cluster_id": target.cluster_id,
        "environment": target.environment,
        "application": target.application,
        "component": target.component,
        "version": target.version,
        "release": target.release,
        "image": target.image,
        "image_version": target.image_version,
        "held": redaction_asked(target),
    }
    document: dict[str, Any] = {name: cut(value) for name, value in told.items() if value is not None}
    document["labels"] = {name: cut(value) for name, value in target.labels.items()}
    chosen = {name: cut(value) for name, value in target.annotations.items() if name in annotations}
    if chosen:
        document["annotations"] = chosen
    truncated = []
    for name in ("annotations", "labels"):
        if name in document and len(to_json(document).encode()) > MOST_BYTES:
            del document[name]
            truncated.append(name)
            document["truncated"] = truncated
    return document


def cut(text: str) -> str:
    """Return a text of at most `LONGEST_VALUE` characters; what is left out shows as an ellipsis."""
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}\N{HORIZONTAL ELLIPSIS}"


def to_json(document: Document) -> str:
    """Return a document as JSON on one line: sorted, in ASCII, so that no reader finds a line's end in it."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def without_nul(document: Document) -> Document:
    """Return a document in which no text has a NUL, for shippers in whose texts it would be the end."""
    return {
        name.replace("\0", "\ufffd"): value.replace("\0", "\ufffd")
        if isinstance(value, str)
        else without_nul(value)
        if isinstance(value, Mapping)
        else value
        for name, value in document.items()
    }


def _image_in_status(target: LogTarget) -> str | None:
    images = (status.image for status in target.pod.containers if status.id == target.id)
    return next(images, None) or None
