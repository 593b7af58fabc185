"""Logs that are gone from the disk and stay with the shippers for a while."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import attrs

from kube_log_watcher_core.models import Container, Departed, LogTarget, Reason
from kube_log_watcher_core.reconcile.drain import DrainRules

LOOK_SECONDS = 5.0
"""How often the shippers' accounts are looked at while something drains."""

# A container that is being removed loses its files one by one, in no fixed order.
_GOING = {Reason.NO_LOG, Reason.NO_CONFIG, Reason.BROKEN_CONFIG}


class Departures:
    """Notices which targets' logs go, and keeps them until their drains are over."""

    def __init__(self, departed: Iterable[Departed] = ()) -> None:
        self._departed = {each.target.container.key: each for each in departed}

    def update(
        self,
        before: Mapping[str, LogTarget],
        containers: Mapping[str, Container],
        followed: Collection[str],
        *,
        rules: DrainRules,
        sizes: Mapping[str, int],
        now: float,
    ) -> tuple[Departed, ...]:
        """Take the targets of the last pass and what is there now; ``now`` in epoch seconds.

        What is skipped for a reason of its own (a label removed, an exclusion) doesn't drain: its
        author or the operator does not want it any more.
        """
        for key, target in before.items():
            if key not in followed:
                self._departed.setdefault(key, Departed(target, since=now, size=sizes.get(key)))
        limit = max(rules.seconds, rules.max_seconds) + 2 * LOOK_SECONDS
        self._departed = {
            key: _not_in_the_future(each, now)
            for key, each in self._departed.items()
            if key not in followed
            and _is_gone(containers.get(key))
            and rules.seconds > 0
            and now - each.since < limit
        }
        return tuple(self._departed.values())

    def renew(self, targets: Mapping[str, LogTarget]) -> tuple[Departed, ...]:
        """Take the targets as their pods' latest states make them; what they no longer want is over."""
        self._departed = {
            key: each if each.target is targets[key] else attrs.evolve(each, target=targets[key])
            for key, each in self._departed.items()
            if key in targets
        }
        return tuple(self._departed.values())

    def finished(self, keys: Collection[str]) -> None:
        """Forget those that every agent has finished with."""
        self._departed = {key: each for key, each in self._departed.items() if key not in keys}

    def seconds_to_look(self, rules: DrainRules, now: float) -> float | None:
        """Tell in how many seconds to look again; None when nothing drains."""
        if not self._departed:
            return None
        ends = [each.since + rules.seconds - now for each in self._departed.values()]
        return min([LOOK_SECONDS, *(end for end in ends if end > 0)])


def _not_in_the_future(departed: Departed, now: float) -> Departed:
    """Begin a drain anew when the clock was set back: else it lasted until the clock is right."""
    return departed if departed.since <= now else attrs.evolve(departed, since=now)


def _is_gone(container: Container | None) -> bool:
    return container is None or (container.obstacle is not None and container.obstacle.reason in _GOING)
