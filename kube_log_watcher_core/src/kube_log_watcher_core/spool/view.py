"""The spool as it stood at one moment, for those who tell people of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from kube_log_watcher_core.spool.spooled import Spooled

FOLLOWED_BEFORE = "it was followed by its path before the spool was switched on"


@attrs.frozen(kw_only=True)
class SpoolView:
    """What is kept, and what could not be. Never changed, so any thread may read it."""

    folders: tuple[Path, ...] = ()
    """Of ``WATCHER_SPOOL_DIR``; none when there is no spool."""
    logs: Mapping[str, Spooled] = attrs.field(factory=dict)
    """What is held of each log, by the container's key."""
    by_path: Mapping[str, str] = attrs.field(factory=dict)
    """Keys of the logs that are followed by their real path although there is a spool, and why."""
    held_bytes: int = 0
    """Of what only the spool still holds."""
    given_up_bytes: int = 0
    """That had to go unread since the watcher began."""
    given_up: Mapping[str, int] = attrs.field(factory=dict)
    """Of which of the last logs, by their containers' keys."""
    sweep_trouble: str = ""
    """Why segments can't be removed."""
    obstacle: Path | None = None
    """The folder that another watcher has: until it lets go of it, nothing is decided."""

    @property
    def segments(self) -> int:
        """How many there are."""
        return sum(len(log.segments) for log in self.logs.values())

    @property
    def waiting(self) -> int:
        """How many logs are kept where shippers don't see them yet."""
        return sum(not log.shown for log in self.logs.values())

    @property
    def oldest_unread(self) -> float | None:
        """When the oldest segment that not every shipper has read was closed, in epoch seconds."""
        return min(
            (each.closed for log in self.logs.values() for each in log.segments if each.closed is not None),
            default=None,
        )

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why the newest files of some logs have no link: each reason once."""
        return tuple(sorted({log.trouble for log in self.logs.values() if log.trouble}))

    @property
    def refused(self) -> Mapping[str, str]:
        """Logs that can't be kept, and why: others by their path were so before there was a spool."""
        return {key: why for key, why in self.by_path.items() if why != FOLLOWED_BEFORE}
