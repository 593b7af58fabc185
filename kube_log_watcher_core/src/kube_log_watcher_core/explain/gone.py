"""What became of the last logs that are gone: remembered, bounded, for who asks an hour later."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs

from kube_log_watcher_core.models import Container, LogTarget, Pod, Skipped
from kube_log_watcher_core.reconcile import Pass, State

MOST_REMEMBERED = 500
"""Containers that are gone. One is some hundred bytes beside its pod, which its fellows share."""

_NO_MORE = {State.ABSENT, State.RELEASED}


@attrs.frozen
class Gone:
    """A container that has left the node, as what was known of it last."""

    container: Container
    since: float
    """Seconds since the epoch at which it was forgotten: its log was read, or waited for."""
    target: LogTarget | None = None
    """As what it was followed; None for one that never was."""
    skip: Skipped | None = None
    """Why it was not followed at last."""

    @property
    def pod(self) -> Pod | None:
        """Its pod, where that was known."""
        return None if self.target is None else self.target.pod


class LastGone:
    """The last containers that have gone. Written by the main thread, read from any."""

    def __init__(self) -> None:
        self._by_key: Mapping[str, Gone] = {}

    def note(self, passed: Pass, *, now: float) -> None:
        """Take what a pass has forgotten, and forget what is there again; ``now`` in epoch seconds."""
        gone = {gone.container.key: gone for gone in _gone(passed, now)}
        back = {it.after.key for it in passed.changes if it.after.state not in _NO_MORE} & self._by_key.keys()
        if gone or back:
            kept = {key: it for key, it in self._by_key.items() if key not in back and key not in gone}
            latest = list({**kept, **gone}.items())[-MOST_REMEMBERED:]
            self._by_key = dict(latest)

    def without(self, keys: Collection[str]) -> Sequence[Gone]:
        """Return them, without containers of these keys."""
        return [gone for key, gone in self._by_key.items() if key not in keys]


def _gone(passed: Pass, now: float) -> Iterator[Gone]:
    for change in passed.changes:
        before, after = change.before, change.after
        if after.state in _NO_MORE and before.state not in _NO_MORE:
            # What is skipped at the very end is so because it is going: that is no reason.
            skip = before.skip if before.state is State.SKIPPED or before.state is State.AWAITED else None
            if before.target is not None:
                yield Gone(before.target.container, now, before.target, skip)
            elif before.skip is not None:
                yield Gone(before.skip.container, now, None, before.skip)
