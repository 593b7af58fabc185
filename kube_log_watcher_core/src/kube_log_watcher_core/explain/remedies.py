"""What would change that a container is not followed, by the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kube_log_watcher_core.models import Reason

REMEDIES: Final[Mapping[Reason, str]] = {
    Reason.PAUSE: "nothing: a pod's sandbox writes no log",
    Reason.NOT_KUBERNETES: "nothing: the kubelet did not start it",
    Reason.NO_CONFIG: "nothing: it is followed once Docker has written config.v2.json, unless it is going",
    Reason.BROKEN_CONFIG: "look at its config.v2.json; it is read again when it changes",
    Reason.NO_LOG: "nothing: it is followed as soon as it has a log; Docker needs the json-file driver",
    Reason.NOT_A_FILE: "look at what bears the log's name: it must be a regular file",
    Reason.OUTSIDE_ROOTS: "mount the folder in which the log really is, and add it to WATCHER_LOG_ROOTS",
    Reason.UNREADABLE: "see whether the watcher's user may read it, and whether its disk is well",
    Reason.OUTSIDE_FOLDER: "look at who made that link: a log is followed in its own pod's folder, or in the "
    "runtime's folder of the same container",
    Reason.TOO_MANY: "look at who fills that folder: the newest logs of each container are followed",
    Reason.TAKEN: "look at who made the links: a container id, and a log, belong to one container only",
    Reason.POD_AWAITED: "wait a moment: the API is asked for the pod",
    Reason.POD_UNKNOWN: "see whether CLUSTER_NODE_NAME is the node's name as `kubectl get nodes` has it, and "
    "whether the pod is still there; `kube-log-watcher status` tells how the API does",
    Reason.POD_REPLACED: "nothing: this log is of a pod that is gone; its successor's is another one",
    Reason.POD_UNREADABLE: "make the pod's labels and annotations smaller; what was configured of it "
    "before stays as it is",
    Reason.ID_UNKNOWN: "wait a moment: after WATCHER_GATE_SECONDS an id is made up",
    Reason.LABEL_MISSING: "add the label to the pod's template, or take it out of WATCHER_STRICT_LABELS",
    Reason.NAMESPACE_EXCLUDED: "change WATCHER_NAMESPACES or WATCHER_EXCLUDE_NAMESPACES",
    Reason.EXCLUDED: "remove the pod's annotation kubernetes-log-watcher/exclude, or set "
    "kubernetes-log-watcher/include.<container> to true",
}
"""For people who operate the node. The detail of a decision tells which label, folder or annotation."""

HARMLESS: Final = frozenset({Reason.PAUSE, Reason.NOT_KUBERNETES})
"""What nobody misses."""
