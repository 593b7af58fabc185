"""What becomes of each log: one word, from what the watcher decided and what its agents say. Pure.

The same word stands in ``explain``, ``status``, metrics and JSON logs.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Collection, Mapping

from kube_log_watcher_core.models import Reason
from kube_log_watcher_core.resolve import Resolution
from kube_log_watcher_core.spool import SpoolView


class LogState(enum.Enum):
    """What becomes of a container's log. The values are stable."""

    FOLLOWED = "followed"
    """Shippers are told of it."""
    HELD = "held"
    """An agent doesn't have it shipped, for what its pod asks for."""
    WAITING = "waiting"
    """It is not decided yet, or not every shipper knows yet what it needs."""
    DRAINING = "draining"
    """It is gone from the node, and its shipper is still reading it."""
    SKIPPED = "skipped"
    """It is not followed, for a reason that the watcher names."""


_PASSING = {Reason.POD_AWAITED, Reason.ID_UNKNOWN}
"""Reasons that end by themselves within seconds."""


def state_of_target(key: str, *, is_gone: bool, held: Collection[str], spool: SpoolView) -> LogState:
    """Return the state of a log that agents are handed, by its container's key.

    ``held`` has the keys of the logs that some agent holds.
    """
    if key in held:
        return LogState.HELD
    log = spool.logs.get(key)
    if log is not None and not log.shown:
        return LogState.WAITING
    # Of a container that is gone only the spool's segments go on.
    if is_gone or (log is not None and log.segments and not log.is_open):
        return LogState.DRAINING
    return LogState.FOLLOWED


def state_of_skipped(reason: Reason) -> LogState:
    """Return the state of a log that no agent is handed."""
    return LogState.WAITING if reason in _PASSING else LogState.SKIPPED


def count_states(
    resolution: Resolution, *, draining: int, held: Collection[str], spool: SpoolView
) -> Mapping[LogState, int]:
    """Return how many logs are in each state; ``draining`` ones are beside the resolution."""
    counts = Counter(
        state_of_target(target.container.key, is_gone=False, held=held, spool=spool)
        for target in resolution.targets
    )
    counts.update(state_of_skipped(skip.reason) for skip in resolution.skipped)
    counts[LogState.DRAINING] += draining
    return {state: counts[state] for state in LogState}
