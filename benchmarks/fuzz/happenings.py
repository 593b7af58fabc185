"""What happens on the node, in its API, and to the watcher: chosen at random, noted in the model first."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from benchmarks.fuzz.pods import Pods
from benchmarks.fuzz.site import Site
from benchmarks.fuzz.troubles import Troubles

Happening = Callable[[], str | None]
"""Does something and says what; None when there was nothing to do it to."""


class Happenings:
    """Lets things happen to a site, each as often as it should."""

    def __init__(self, site: Site, rng: random.Random) -> None:
        self._rng = rng
        self.pods = pods = Pods(site, rng)
        self.troubles = troubles = Troubles(site, rng, meanwhile=lambda: self.one({}, stormy=False))
        self.often: Mapping[Happening, int] = {
            pods.pod_comes: 6,
            pods.pod_goes: 4,
            pods.pod_leaves_the_api: 2,
            pods.files_go: 3,
            pods.labels_change: 5,
            pods.container_restarts: 4,
            pods.log_rotates: 3,
            pods.pod_is_replaced: 3,
            pods.pod_changes_and_goes: 2,
            pods.static_pod_comes: 1,
            pods.mirror_is_made_anew: 1,
            self.nothing_for_a_moment: 3,
        }
        self.storm: Mapping[Happening, int] = {
            troubles.api_is_away: 2,
            troubles.api_is_faulty: 4,
            troubles.watches_break: 2,
            troubles.watches_fall_silent: 1,
            troubles.versions_expire: 1,
            troubles.watcher_is_killed: 2,
            troubles.watcher_is_restarted: 1,
            troubles.watcher_stands_still: 1,
        }
        self.rare: Mapping[Happening, int] = {
            troubles.settings_are_read_again: 1,
            troubles.settings_change: 3,
            troubles.settings_are_spoiled: 1,
        }

    def one(self, others: Mapping[Happening, int], *, stormy: bool) -> str:
        """Let one thing happen, and say what it was; ``others`` are things that may happen besides."""
        bag = {**self.often, **self.rare, **others, **(self.storm if stormy else {})}
        while True:
            happening = self._rng.choices([*bag], [*bag.values()])[0]
            if (said := happening()) is not None:
                return said

    def nothing_for_a_moment(self) -> str:
        """Let the watcher come to rest, or half to rest."""
        seconds = self._rng.choice([0.02, 0.1, 0.4])
        time.sleep(seconds)
        return f"nothing for {seconds:g} s"
