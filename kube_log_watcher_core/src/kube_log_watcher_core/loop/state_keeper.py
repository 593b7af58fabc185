"""Keeps the state file up to date, in a thread of its own: a slow disk holds up nobody."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.agents import Claim, FolderLocks, Turn, Worker
from kube_log_watcher_core.files import Disk
from kube_log_watcher_core.models import Work
from kube_log_watcher_core.resolve import Rules
from kube_log_watcher_core.state import StateFile

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
"""Least time between two writes that nothing waits for: with 1,000 targets the file has a megabyte."""
LONGEST_WAIT_SECONDS = 1.0
"""So long agents wait for a write at most: then following the logs is worth more than remembering them."""


@attrs.frozen
class _Kept:
    """Work, with what of it a restart can't find out again."""

    work: Work
    vital: frozenset[tuple[str, str | float]]
    """Keys of logs, with the ids that were chosen for them, or with the times since which they are gone."""

    @classmethod
    def of(cls, work: Work) -> _Kept:
        ids = {(target.container.key, target.id) for target in work.targets}
        gone = {(each.target.container.key, each.since) for each in work.departed}
        return cls(work, frozenset(ids | gone))


class StateKeeper:
    """What agents are handed: on disk before they act upon it, unless another watcher keeps its own there.

    Parameters
    ----------
    on_kept
        is called from another thread when agents need to wait no longer.
    """

    def __init__(
        self,
        folder: Path,
        locks: FolderLocks,
        *,
        on_kept: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        disk: Disk | None = None,
    ) -> None:
        self._folder = folder
        self._file = StateFile(folder, disk)
        self._on_kept = on_kept
        self._clock = clock
        self._tidy = False
        self._claim = Claim(locks, [folder])
        self._worker = Worker[_Kept](
            "state",
            self._save,
            ready=Turn("the state file", self._claim),
            close=self._claim.release,
            title="the state file",
        )
        self._latest = self._kept = _Kept.of(Work())
        self._sent = _Kept.of(Work())  # another one: the first work is written whatever it is
        self._sent_at = float("-inf")
        self._waiting_since: float | None = None

    def load(self, rules: Rules, roots: Sequence[Path]) -> Work:
        """Read what an earlier process left; nothing where that can't be read."""
        try:
            left = self._file.load(rules, roots)
        except OSError as error:
            logger.warning("WATCHER_STATE_DIR %s can't be opened: %s", self._folder, error.strerror)
            return Work()
        self._latest = self._kept = _Kept.of(left)
        return left

    def start(self) -> None:
        """Have a thread, which waits for `begin`."""
        self._worker.start()

    def begin(self) -> None:
        """Keep what is to be kept from now on."""
        self._worker.begin()

    def keep(self, work: Work) -> bool:
        """Keep work from now on; tell whether agents may be handed it: what it can't do without is kept.

        That is which id was chosen for a log, without which a shipper would ship it again under another
        one, and that a log was there or went, without which the rest of it would not be read. Where the
        file can't be written, or not in time, agents do not wait for it.
        """
        now = self._clock()
        if work != self._latest.work:
            self._latest = _Kept.of(work)
        is_vital = not self._latest.vital <= self._sent.vital
        if self._latest is not self._sent and (is_vital or now >= self._sent_at + PAUSE_SECONDS):
            self._sent, self._sent_at = self._latest, now
            self._worker.submit(self._sent)
        if self._waiting_since is None:
            self._waiting_since = now  # before the look: the worker tells only where somebody waits
        is_kept = self._latest is self._kept or self._latest.vital <= self._kept.vital
        if is_kept or self._claim.obstacle is not None or self._worker.status.failures:
            self._waiting_since = None
            return True
        return now >= self._waiting_since + LONGEST_WAIT_SECONDS

    def next_deadline(self) -> float | None:
        """Return when to call `keep` again although nothing has changed."""
        waiting = None if self._waiting_since is None else self._waiting_since + LONGEST_WAIT_SECONDS
        pausing = None if self._latest is self._sent else self._sent_at + PAUSE_SECONDS
        return min((at for at in (waiting, pausing) if at is not None), default=None)

    def stop(self, *, wait_seconds: float = 0.0) -> None:
        """Stop keeping, once the latest is kept; wait for that so long."""
        if self._latest is not self._sent and self._sent_at > float("-inf"):
            self._sent = self._latest
            self._worker.submit(self._sent)
        kept = self._worker.stop(wait_seconds=wait_seconds, finish=True)
        if not kept and wait_seconds > 0:
            logger.warning("the state file could not be brought up to date within %g s", wait_seconds)

    def _save(self, kept: _Kept, _recheck: bool) -> bool:  # noqa: FBT001 - the worker's call
        self._file.save(kept.work)
        self._kept = kept
        if self._waiting_since is not None:
            self._on_kept()
        if not self._tidy:
            self._file.tidy()
            self._tidy = True
        return True
