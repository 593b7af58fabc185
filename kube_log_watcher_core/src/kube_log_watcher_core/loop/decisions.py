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
            logger.info("following %s at %s", name_of(target.container), target.log_path)
        for key in self._followed.keys() - followed.keys():
            logger.info("no longer following %s", name_of(self._followed[key].container))
        for skip in resolution.skipped:
            if self._skipped.get(skip.container.key) is not skip.reason:
                self._skip(skip)
        self._remark(resolution, followed.keys() | skipped.keys())
        self._followed, self._skipped = followed, skipped

    def _skip(self, skip: Skipped) -> None:
        level = logging.DEBUG if skip.reason in _QUIET else logging.INFO
        logger.log(level, "skipping %s: %s: %s", name_of(skip.container), skip.reason.value, skip.detail)

    def _remark(self, resolution: Resolution, present: set[str]) -> None:
        for remark in resolution.remarks:
            if remark not in self._remarks:
                where = name_of(remark.container)
                logger.warning("annotation %s of %s is ignored: %s", remark.annotation, where, remark.detail)
        kept = {remark for remark in self._remarks if remark.container.key in present}
        self._remarks = kept | set(resolution.remarks)


def name_of(container: Container) -> str:
    """Name a container for a person."""
    if not container.name:
        return f"container {container.key}"
    return f"{container.namespace}/{container.pod_name}/{container.name}"
