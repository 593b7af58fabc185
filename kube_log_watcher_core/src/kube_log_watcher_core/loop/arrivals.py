"""Since when each new log has been waiting to be followed: what the detection latency is measured from."""

from __future__ import annotations

from collections.abc import Mapping

from kube_log_watcher_core.models import Reason
from kube_log_watcher_core.resolve import Resolution

_AWAITED = {Reason.POD_AWAITED, Reason.POD_UNKNOWN, Reason.ID_UNKNOWN}
"""What the watcher waits for. All other reasons are somebody's will: what ends them is no detection."""


class Arrivals:
    """Notices logs that were not there at the first look, and when each of them becomes a target."""

    def __init__(self) -> None:
        self._waiting: dict[str, float] = {}
        self._settled: set[str] | None = None

    def note(self, resolution: Resolution, *, woken_at: float) -> Mapping[str, float]:
        """Take a pass, and give the new targets: by their keys, since when their logs have been there.

        ``woken_at`` is when the watcher was woken for this pass.
        """
        skipped = [skip for skip in resolution.skipped if skip.container.obstacle is None]
        awaited = {skip.container.key for skip in skipped if skip.reason in _AWAITED}
        followed = {target.container.key for target in resolution.targets}
        present = followed.union(skip.container.key for skip in skipped)
        # A log that can't be seen for a moment, in a rotation say, is not new when it is back.
        on_disk = present.union(skip.container.key for skip in resolution.skipped)
        if self._settled is None:
            self._settled = present
            return {}
        new = present - self._settled
        since = {key: self._waiting.get(key, woken_at) for key in new}
        self._waiting = {key: since[key] for key in new & awaited}
        self._settled = (self._settled & on_disk) | (new - awaited)
        return {key: since[key] for key in new & followed}
