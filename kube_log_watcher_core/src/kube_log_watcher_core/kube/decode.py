"""A pod's JSON, reduced to the few things that are wanted of it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from kube_log_watcher_core.kube.json_reader import WHOLE, JsonReader, TooLong, Wanted
from kube_log_watcher_core.models import FrozenMap, Owner, Pod, PodContainer, UnreadablePod, epoch_seconds

WHOLE_CHARACTERS = 256 * 1024
"""A pod up to this length is decoded as a whole, which is fast; of a longer one only what is wanted."""

MOST_CHARACTERS = 512 * 1024
"""What of a pod is kept in memory has an end: labels and annotations, keys and values. The API allows 256 KiB
of annotations, and any number of labels."""

STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
SPECS = ("initContainers", "containers", "ephemeralContainers")

WANTED: Mapping[str, Wanted] = {
    "kind": WHOLE,
    "metadata": dict.fromkeys(
        (
            "uid",
            "name",
            "namespace",
            "resourceVersion",
            "labels",
            "annotations",
            "creationTimestamp",
            "deletionTimestamp",
        ),
        WHOLE,
    )
    | {"ownerReferences": [{"controller": WHOLE, "kind": WHOLE, "name": WHOLE}]},
    "spec": {"nodeName": WHOLE} | {kind: [{"name": WHOLE, "image": WHOLE}] for kind in SPECS},
    "status": {
        kind: [
            {
                "name": WHOLE,
                "restartCount": WHOLE,
                "containerID": WHOLE,
                "image": WHOLE,
                "lastState": {"terminated": {"containerID": WHOLE}},
            }
        ]
        for kind in STATUSES
    },
}
"""All that `decode_pod` looks at, and the version, which goes with an event."""

_LONGEST_PART = 6 * MOST_CHARACTERS  # any character may be written as an escape of six
_CONTAINER_ID = re.compile(r"(?:[a-z0-9.+-]+://)?([0-9a-f]{64})")
_NO_MAP = FrozenMap()
_LONGEST_SHARED = 128


class MalformedPod(ValueError):
    """An object is not a pod that anything could be done with. The others are not concerned."""


def read_item(reader: JsonReader, wanted: Mapping[str, Wanted] = WANTED) -> tuple[object, str]:
    """Return the next value, of a long one only what is wanted, and what of that is too long to be read."""
    try:
        return reader.value(WHOLE_CHARACTERS), ""
    except (TooLong, RecursionError):  # an author may nest what nobody wants as deep as the API allows
        too_long: list[str] = []
        item = reader.pick(wanted, longest=_LONGEST_PART, too_long=too_long)
        return item, ", ".join(dict.fromkeys(too_long))


def pod_or_why(item: object, too_long: str = "") -> Pod | UnreadablePod:
    """Reduce a pod's JSON to a `Pod`, or to its names and why it can't be read."""
    try:
        if too_long:
            raise MalformedPod(f"{too_long}: longer than {_LONGEST_PART} characters")
        return decode_pod(item)
    except MalformedPod as error:
        metadata = as_dict(as_dict(item).get("metadata"))
        return UnreadablePod(
            uid=_text(metadata.get("uid")),
            name=_text(metadata.get("name")),
            namespace=_text(metadata.get("namespace")),
            detail=str(error),
        )


def decode_pod(item: object) -> Pod:
    """Reduce a pod's JSON to a `Pod`.

    Raises `MalformedPod` when it lacks name, namespace or uid, or has more labels and annotations than
    are kept of one pod.
    """
    whole = as_dict(item)
    metadata = as_dict(whole.get("metadata"))
    spec = as_dict(whole.get("spec"))
    labels, annotations = _strings(metadata.get("labels")), _strings(metadata.get("annotations"))
    length = sum(len(key) + len(value) for each in (labels, annotations) for key, value in each.items())
    if length > MOST_CHARACTERS:
        raise MalformedPod(f"labels and annotations have {length} characters, {MOST_CHARACTERS} are read")
    return Pod(
        uid=_required(metadata, "uid"),
        name=_required(metadata, "name"),
        namespace=_shared(_required(metadata, "namespace")),
        labels=labels,
        annotations=annotations,
        owner=_controller(metadata.get("ownerReferences")),
        node=_shared(_text(spec.get("nodeName"))),
        containers=tuple(_runs(as_dict(whole.get("status")), spec)),
        created=epoch_seconds(metadata.get("creationTimestamp")),
        deleted=epoch_seconds(metadata.get("deletionTimestamp")),
    )


def as_dict(value: object) -> Mapping[str, Any]:
    """Return a JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, dict))


def _text(value: object) -> str:
    """Return a string that can be encoded; anything else is the empty one."""
    if not isinstance(value, str):
        return ""
    # A lone surrogate, written as an escape, would only fail when somebody writes it to a file.
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _required(metadata: Mapping[str, Any], key: str) -> str:
    value = _text(metadata.get(key))
    if not value:
        raise MalformedPod(f"metadata.{key} is missing (name {metadata.get('name')!r:.80})")
    return value


def _strings(value: object) -> FrozenMap:
    if not isinstance(value, dict) or not value:
        return _NO_MAP
    return FrozenMap(
        {_shared(_text(key)): _shared(_text(each)) for key, each in value.items() if isinstance(each, str)}
    )


def _shared(text: str) -> str:
    """Return the same object for equal short texts: labels' names, and values that many pods share."""
    return _pooled(text) if len(text) <= _LONGEST_SHARED else text


_pooled = functools.lru_cache(maxsize=1024)(str)  # `sys.intern` keeps, in Python 3.12, what it was ever given


def _controller(references: object) -> Owner | None:
    for reference in _dicts(references):
        if reference.get("controller") is True:
            kind, name = _text(reference.get("kind")), _text(reference.get("name"))
            return Owner(kind=_shared(kind), name=_shared(name))
    return None


def _runs(status: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[PodContainer]:
    """Yield each container's run that is, or was last, and the one before it."""
    specified = {
        _text(container.get("name")): _text(container.get("image"))
        for kind in SPECS
        for container in _dicts(spec.get(kind))
    }
    for each in (each for kind in STATUSES for each in _dicts(status.get(kind))):
        name, image = _shared(_text(each.get("name"))), _text(each.get("image"))
        if not name:
            continue
        if not image or image.startswith("sha256:"):  # a bare digest tells no name
            image = specified.get(name) or image
        count, current = each.get("restartCount"), _container_id(each.get("containerID"))
        restarts = max(count, 0) if isinstance(count, int) and not isinstance(count, bool) else 0
        run = PodContainer(name=name, image=_shared(image), id=current, restart_count=restarts)
        yield run
        ended = as_dict(as_dict(each.get("lastState")).get("terminated"))
        previous = _container_id(ended.get("containerID"))
        # While a container waits for its next start (CrashLoopBackOff), the last state is that of the run
        # whose id and number stand above: it is no earlier one.
        if previous and previous != current and restarts > 0:
            yield attrs.evolve(run, id=previous, restart_count=restarts - 1)


def _container_id(value: object) -> str:
    found = _CONTAINER_ID.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else ""
