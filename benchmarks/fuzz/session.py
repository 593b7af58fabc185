"""A session: one site, some episodes; each ends in quiet, in which all must be true."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import attrs

from benchmarks.fuzz.happenings import Happenings
from benchmarks.fuzz.hostilities import Hostilities
from benchmarks.fuzz.judge import by_path, differences, logs_of, shown_by
from benchmarks.fuzz.site import EVENTS_ALONE, Site, wait_until
from kube_log_watcher_core import Layout

QUIET_SECONDS = 90.0
"""How long the truth is waited for: a back-off of the API may be up to 30 s long."""
STAYS_SECONDS = 0.6
"""Longer than new settings take to come into use, which is 0.3 s: what is true by the old ones would pass."""
EPISODES = 4
STEPS = (10, 40)


@attrs.frozen
class Outcome:
    """What came of a session."""

    seed: int
    layout: Layout
    episodes: int
    steps: int
    looks: int
    faults: tuple[str, ...]
    """What was seen that must never be seen, and what was otherwise than it must be after quiet."""
    happened: tuple[str, ...]
    folder: Path
    log: str


class Session:
    """Runs the episodes of one seed on one layout.

    Parameters
    ----------
    peaceful
        let no stranger do anything.
    """

    def __init__(self, seed: int, layout: Layout, folder: Path, *, peaceful: bool = False) -> None:
        self._rng = random.Random(f"{seed}/{layout.value}")  # noqa: S311 - chosen for being repeatable
        self._seed, self._layout, self._folder = seed, layout, folder
        self._peaceful = peaceful
        self._happened: list[str] = []
        self._began = time.monotonic()
        self._steps = self._episodes = 0

    def run(self, episodes: int = EPISODES, *, goes_on: Callable[[], bool] = lambda: True) -> Outcome:
        """Run so many episodes, or until there is a fault, or until it is not to go on."""
        interval = self._rng.choice([1.0, EVENTS_ALONE])
        with Site(self._layout, self._folder, interval=interval) as site:
            self._say(f"full passes every {interval:g} s")
            happenings = Happenings(site, self._rng)
            hostilities = Hostilities(site, happenings.pods, self._rng)
            happenings.pods.resident_comes()
            self._quiet(site, happenings)
            while self._episodes < episodes and not site.faults and goes_on():
                self._episode(site, happenings, hostilities)
            log = site.log + site.watcher.log
            if "Traceback" in log:
                site.fault("there is a traceback in the watcher's log")
        return Outcome(
            seed=self._seed,
            layout=self._layout,
            episodes=self._episodes,
            steps=self._steps,
            looks=site.looks,
            faults=tuple(site.faults),
            happened=tuple(self._happened),
            folder=self._folder,
            log=log,
        )

    def _episode(self, site: Site, happenings: Happenings, hostilities: Hostilities) -> None:
        stormy = self._rng.random() < 0.6
        hostile = hostilities.bag if self._rng.random() < 0.5 and not self._peaceful else {}
        self._say(f"--- episode {self._episodes}: {'stormy' if stormy else 'calm'}")
        for _ in range(self._rng.randint(*STEPS)):
            self._say(happenings.one(hostile, stormy=stormy))
            self._steps += 1
            if not site.watcher.running:
                site.fault(f"the watcher has ended with {site.watcher.exit_code}")
            if site.faults:
                return
        self._quiet(site, happenings)
        self._episodes += 1

    def _quiet(self, site: Site, happenings: Happenings) -> None:
        """End all that disturbs, wait until what is written is true and stays so, and note how it is."""
        happenings.troubles.heal()
        self._say("quiet")
        untrue: list[str] = []

        def is_over() -> bool:
            if not site.watcher.running:
                site.fault(f"the watcher has ended with {site.watcher.exit_code}")
            untrue[:] = _untruths(site)
            if untrue or site.faults:
                return bool(site.faults)
            time.sleep(STAYS_SECONDS)
            return _note_if_true(site)

        if not wait_until(is_over, timeout=QUIET_SECONDS):
            for each in untrue or ["it changes again and again"]:
                site.fault(f"after quiet: {each}")

    def _say(self, text: str) -> None:
        self._happened.append(f"{time.monotonic() - self._began:8.3f} {text}")


def _untruths(site: Site) -> list[str]:
    """Tell what is not yet as it must be, on the disk and in the state file, which is written last."""
    with site.lock:
        look = site.look()
        told = differences(look, site.model)
    if told or look.text is None:
        return told
    kept = site.state.read_text() if site.state.exists() else ""
    releases = [shown_by(each).labels["release"] for each in logs_of(look.text)]
    return [f"the state file lacks {each}" for each in releases if f'"{each}"' not in kept]


def _note_if_true(site: Site) -> bool:
    """Tell whether all is as it must be; then it is what is not to change until something happens to it."""
    with site.lock:
        look = site.look()
        if look.text is None or differences(look, site.model):
            return False
        entries = by_path(logs_of(look.text))
        site.model.quiet(entries, {path: shown_by(entry) for path, entry in entries.items()})
    return True
