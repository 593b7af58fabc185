"""One log line for each container that begins or ends to be followed, or is skipped for another reason."""

from __future__ import annotations

import logging

from kube_log_watcher_core.models import Container, Reason
from kube_log_watcher_core.reconcile.life import Pass

logger = logging.getLogger(__name__)

# What is normal, or passes by itself, is nothing that an operator needs to read.
_QUIET = {Reason.PAUSE, Reason.POD_AWAITED, Reason.ID_UNKNOWN, Reason.NO_LOG, Reason.NO_CONFIG}


def log_changes(passed: Pass) -> None:
    """Say what a pass has changed."""
    for change in passed.came:
        if change.after.target is not None:
            container, path = change.after.target.container, change.after.target.log_path
            fields = fields_of("following", container)
            logger.info("following %s at %s", name_of(container), path, extra=fields)
    for change in passed.went:
        if change.before.target is not None:
            container = change.before.target.container
            fields = fields_of("no-longer-following", container)
            logger.info("no longer following %s", name_of(container), extra=fields)
    for skip in passed.skipped:
        level = logging.DEBUG if skip.reason in _QUIET else logging.INFO
        name, reason = name_of(skip.container), skip.reason.value
        fields = {**fields_of("skipping", skip.container), "reason": reason}
        logger.log(level, "skipping %s: %s: %s", name, reason, skip.detail, extra=fields)
    for remark in passed.remarks:
        where, fields = name_of(remark.container), fields_of("annotation-ignored", remark.container)
        text = "annotation %s of %s is ignored: %s"
        logger.warning(text, remark.annotation, where, remark.detail, extra=fields)


def fields_of(event: str, container: Container) -> dict[str, str]:
    """Give what JSON log lines tell besides their text: the event's stable name, and whom it is about."""
    named = {"namespace": container.namespace, "pod": container.pod_name, "container": container.name}
    known = {"container_id": container.id or "", **named}
    return {"event": event, **{name: value for name, value in known.items() if value}}


def name_of(container: Container) -> str:
    """Name a container for a person."""
    if not container.name:
        return f"container {container.key}"
    return f"{container.namespace}/{container.pod_name}/{container.name}"
