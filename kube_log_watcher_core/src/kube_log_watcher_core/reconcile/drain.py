"""When a log that is gone from the disk may leave a shipper's configuration. Pure.

A shipper goes on reading a deleted file that it has open, but only as long as the file is
configured: an entry removed too early loses the rest of the log.
"""

from __future__ import annotations

import enum

import attrs

from kube_log_watcher_core.models import Departed, Progress


@attrs.frozen
class DrainRules:
    """How long to wait."""

    seconds: float = 300.0
    """Without evidence. 0: there is no drain at all, evidence or not."""
    max_seconds: float = 900.0
    """Where evidence says that the shipper is still reading."""


class Verdict(enum.Enum):
    """What becomes of a log that is gone."""

    WAIT = "the shipper may still be reading"
    DONE = "all of it was read, or waited for"
    GIVEN_UP = "the shipper did not finish in time"


def judge(
    departed: Departed, progress: Progress | None, earlier: Progress | None, rules: DrainRules, *, now: float
) -> Verdict:
    """Decide by the latest evidence and by that of an earlier account; ``now`` in epoch seconds."""
    age = now - departed.since
    if rules.seconds == 0:
        return Verdict.DONE
    if progress is None:
        return Verdict.WAIT if age < rules.seconds else Verdict.DONE
    if _has_read_all(departed, progress, earlier):
        return Verdict.DONE
    if not _is_behind(departed, progress):
        # A shipper that reloads when the file is gone has nothing more to say of it, ever.
        return Verdict.WAIT if age < rules.seconds else Verdict.DONE
    return Verdict.WAIT if age < max(rules.max_seconds, rules.seconds) else Verdict.GIVEN_UP


def _is_behind(departed: Departed, progress: Progress) -> bool:
    """Tell whether there is evidence of something unread."""
    return progress.pending or (departed.size is not None and progress.read_bytes < departed.size)


def _has_read_all(departed: Departed, progress: Progress, earlier: Progress | None) -> bool:
    """Tell whether two accounts, both younger than the departure, say the same: all was read.

    The size was seen some time before the end, so having reached it proves little: more may have
    been written since. A reader that has stopped there has met the end; one that has let go of the
    file says so itself.
    """
    if progress.closed:
        if departed.size is None:
            return progress.at >= departed.since
        return progress.read_bytes >= departed.size
    if departed.size is None or earlier is None or progress.pending:
        return False
    both_later = departed.since <= earlier.at < progress.at
    return both_later and earlier.read_bytes == progress.read_bytes >= departed.size


def bytes_left(departed: Departed, progress: Progress | None) -> int | None:
    """Count the bytes that are known to be unread; None when that isn't known."""
    if progress is None or departed.size is None:
        return None
    return max(departed.size - progress.read_bytes, 0)


@attrs.frozen
class Accounts:
    """The last two accounts of a shipper for one log, of different times."""

    latest: Progress | None = None
    earlier: Progress | None = None

    def with_new(self, progress: Progress | None) -> Accounts:
        """Take in what the shipper says now."""
        if progress is None or (self.latest is not None and progress.at <= self.latest.at):
            return self
        return Accounts(latest=progress, earlier=self.latest)
