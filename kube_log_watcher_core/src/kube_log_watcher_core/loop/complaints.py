"""What pods' authors are told by Events: what agents object to, and odd annotations. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kube_log_watcher_core.kube import Complaint
from kube_log_watcher_core.models import Objection
from kube_log_watcher_core.reconcile import Life

IGNORED, HELD = "AnnotationIgnored", "LogHeld"


def of_agent(agent: str, objections: Iterable[Objection]) -> Iterator[Complaint]:
    """Yield what one agent objects to; what is about no annotation, its author can't mend."""
    for it in objections:
        if it.annotation:
            outcome = f"; the log is not shipped until {it.until}" if it.holds else ""
            remedy = f". {it.remedy}" if it.remedy else ""
            yield Complaint(
                namespace=it.target.namespace,
                pod=it.target.pod_name,
                uid=it.target.pod.uid,
                container=it.target.container_name,
                reason=HELD if it.holds else IGNORED,
                note=f"{agent}: {it.annotation}: {it.reason}{outcome}{remedy}",
            )


def of_watcher(lives: Iterable[Life]) -> Iterator[Complaint]:
    """Yield the annotations that the watcher does not understand."""
    for life in lives:
        for it in sorted(life.remarks, key=lambda remark: remark.annotation):
            # A static pod's uid on the node is not the one by which its Events are found.
            uid = life.target.pod.uid if life.target is not None else it.container.pod_uid
            if uid:
                yield Complaint(
                    namespace=it.container.namespace,
                    pod=it.container.pod_name,
                    uid=uid,
                    container=it.container.name,
                    reason=IGNORED,
                    note=f"{it.annotation}: {it.detail}",
                )
