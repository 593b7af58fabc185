"""One log line for each container that begins or ends to be followed, or is skipped for another reason."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from kube_log_watcher_core.models import Container, LogTarget, Reason, Remark, Skipped
from kube_log_watcher_core.resolve import Resolution

logger = logging.getLogger(__name__)

# What is normal, or passes by itself, is nothing that an operator needs to read.
_QUIET = {Reason.PAUSE, Reason.POD_AWAITED, Reason.ID_UNKNOWN, Reason.NO_LOG, Reason.NO_CONFIG}


class Decisions:
    """Remembers the last resolution, and says what is new in the next."""

    def __init__(self) -> None:
        self._followed: Mapping[str, LogTarget] = {}
        self._skipped: Mapping[str, Reason] = {}
        self._remarks: set[Remark] = set()

    def note(self, resolution: Resolution) -> None:
        """Log what differs from the last one."""
        followed = {target.container.key: target for target in resolution.targets}
        skipped = {skip.container.key: skip.reason for skip in resolution.skipped}
        for key in followed.keys() - self._followed.keys():
            target = followed[key]
            name, fields = name_of(target.container), fields_of("following", target.container)
            logger.info("following %s at %s", name, target.log_path, extra=fields)
        for key in self._followed.keys() - followed.keys():
            container = self._followed[key].container
            fields = fields_of("no-longer-following", container)
            logger.info("no longer following %s", name_of(container), extra=fields)
        for skip in resolution.skipped:
            if self._skipped.get(skip.container.key) is not skip.reason:
                self._skip(skip)
        self._remark(resolution, followed.keys() | skipped.keys())
        self._followed, self._skipped = followed, skipped

    def _skip(self, skip: Skipped) -> None:
        level = logging.DEBUG if skip.reason in _QUIET else logging.INFO
        name, reason = name_of(skip.container), skip.reason.value
        fields = {**fields_of("skipping", skip.container), "reason": reason}
        logger.log(level, "skipping %s: %s: %s", name, reason, skip.detail, extra=fields)

    def _remark(self, resolution: Resolution, present: set[str]) -> None:
        for remark in resolution.remarks:
            if remark not in self._remarks:
                where, fields = name_of(remark.container), fields_of("annotation-ignored", remark.container)
                text = "annotation %s of %s is ignored: %s"
                logger.warning(text, remark.annotation, where, remark.detail, extra=fields)
        kept = {remark for remark in self._remarks if remark.container.key in present}
        self._remarks = kept | set(resolution.remarks)


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
