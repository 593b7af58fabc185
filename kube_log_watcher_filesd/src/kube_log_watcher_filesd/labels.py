"""The labels of a log, as Prometheus takes them: valid names, each only once, and texts as values. Pure."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

from kube_log_watcher_core import LogTarget
from kube_log_watcher_static import Document, cut

NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
"""What Prometheus takes for a label's name. With any other it refuses the whole file."""

ID: Final = "__meta_kubernetes_pod_container_id"
"""The label by which a log is known again."""

_ATTACHED: Final = {
    "namespace_name": "namespace",
    "pod_name": "pod",
    "container_name": "container",
    "host": "node",
    "cluster_id": "cluster",
    "environment": "environment",
    "application": "application",
    "component": "component",
    "version": "version",
    "release": "release",
}
_META: Final = {
    "pod_id": "__meta_kubernetes_pod_uid",
    "container_id": ID,
    "container_image": "__meta_kubernetes_pod_container_image",
    "image": "__meta_klw_image",
    "image_version": "__meta_klw_image_version",
}
"""Named as by Prometheus's own discovery of pods, where that knows them. They are not attached to lines."""


def labels_of(target: LogTarget, document: Document) -> Mapping[str, str]:
    """Return a log's labels.

    Labels and annotations of the pod are among them by the names that Prometheus gives them. What
    ``WATCHER_LABELS_AS_ATTRIBUTES`` asks for is attached to lines; no pod's label takes the place of ours.
    """
    named = {**_ATTACHED, **_META}
    labels = {label: document[name] for name, label in named.items() if name in document}
    labels["__path__"] = target.pattern
    labels["layout"] = target.layout.value
    for kind, prefix in (("labels", "pod_label"), ("annotations", "pod_annotation")):
        told: Mapping[str, str] = document.get(kind, {})
        labels |= {f"__meta_kubernetes_{prefix}_{name}": told[each] for each, name in valid_names(told)}
    if "truncated" in document:
        labels["__meta_klw_truncated"] = ",".join(document["truncated"])
    attached = valid_names(target.attributes, valid=_attachable, taken=labels)
    return labels | {name: cut(target.attributes[each]) for each, name in attached}


def _plain(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


def valid_names(
    names: Iterable[str],
    *,
    valid: Callable[[str], str] = _plain,
    taken: Collection[str] = (),
) -> Iterator[tuple[str, str]]:
    """Yield names with what is valid, and no two with the same.

    Every other character becomes ``_``, as Prometheus does it itself. Of several that come to the same, the
    one that was so already keeps it, else the first; the others end with a hash of what they were.
    """
    given = set(taken)
    for name in sorted(names, key=lambda name: (valid(name) != name, name)):
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        longer = (f"{valid(name)}_{digest}" + "_" * more for more in itertools.count())
        chosen = next(each for each in itertools.chain([valid(name)], longer) if each not in given)
        given.add(chosen)
        yield name, chosen


def _attachable(name: str) -> str:
    """Return a name for a label that stays: Prometheus keeps those with two underscores for itself."""
    plain = _plain(name)
    return plain if NAME.fullmatch(plain) and not plain.startswith("_") else f"label_{plain}"
