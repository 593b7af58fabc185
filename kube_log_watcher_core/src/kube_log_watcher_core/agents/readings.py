"""How far one agent's shipper has read the segments of the spool that are closed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.agents.endings import Ending, Endings
from kube_log_watcher_core.models import LogFile, LogTarget
from kube_log_watcher_core.reconcile import Accounts
from kube_log_watcher_core.spool import Closed, ClosedSegment, SegmentKey, SpoolRules, is_done_with


class Readings:
    """Asks one agent, in the agent's own thread; what it came to may be read from any."""

    def __init__(self, name: str, agent: BaseAgent[Any], *, endings: Endings | None = None) -> None:
        self._accounts = Accounts(name, agent)
        self._endings = endings or Endings()
        self.done: frozenset[SegmentKey] = frozenset()
        """Segments that the agent's shipper needs no more."""
        self.read_bytes: Mapping[SegmentKey, int] = {}
        """How far it has read those that it gives an account of."""

    def look(
        self,
        targets: Mapping[str, LogTarget],
        segments: Iterable[ClosedSegment],
        rules: SpoolRules,
        *,
        now: float,
    ) -> None:
        """Ask about segments of these targets, by their containers' keys; ``now`` in epoch seconds."""
        done: set[SegmentKey] = set()
        read_bytes: dict[SegmentKey, int] = {}
        for segment in segments:
            target = targets.get(segment.key)
            if target is None:  # it does not know of the log any more, and nobody will read it
                continue
            account = self._accounts.of(target, LogFile(target.file(segment.path.name), segment.inode))
            try:
                status = os.stat(segment.path, follow_symlinks=False)
            except OSError:
                continue
            if status.st_ino != segment.inode:  # somebody else's file
                continue
            closed = Closed(
                key=segment.key,
                number=segment.number,
                inode=segment.inode,
                size=status.st_size,
                links=status.st_nlink,
                since=segment.since,
            )
            if account is not None:
                read_bytes[segment.key, segment.number] = account.read_bytes
            if is_done_with(closed, [account], rules, now=now):
                done.add((segment.key, segment.number))
                self._endings.note(segment.key, Ending(by_account=account is not None))
        self.read_bytes, self.done = read_bytes, frozenset(done)
