"""Troubles of the fuzzed node: its API is not well, the watcher ends or stands still, its settings change."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Sequence

import attrs

from benchmarks.fuzz.pods import MOMENTS
from benchmarks.fuzz.site import Site
from kube_log_watcher_testing import fake_api
from kube_log_watcher_testing.fake_api import Fault

FAULTS: Sequence[Fault] = (
    fake_api.Refuse(500),
    fake_api.Refuse(503),
    fake_api.Refuse(429),
    fake_api.Drop(),
    fake_api.Body(b"<html>Welcome</html>"),
    fake_api.Body(b"{}"),
    fake_api.Truncated(),
    fake_api.Expired(),
    fake_api.Expired(as_status=True),
    fake_api.HalfLine(),
    fake_api.ShortWatch(),
    fake_api.Unchunked(),
    fake_api.Slow(0.3),
    fake_api.Silent(),
)


class Troubles:
    """Lets the API, the watcher and its settings be in trouble.

    Parameters
    ----------
    meanwhile
        lets something happen while the watcher stands still.
    """

    def __init__(self, site: Site, rng: random.Random, *, meanwhile: Callable[[], object]) -> None:
        self._site = site
        self._model = site.model
        self._rng = rng
        self._meanwhile = meanwhile
        self._storms = 0

    # ------------------------------------------------------------------ the API is not well

    def api_is_away(self) -> str:
        """Let the API server go away, or come back."""
        self._disturb()
        if self._site.api_is_up:
            self._site.api.stop()
        else:
            self._site.api.start()
        self._site.api_is_up = not self._site.api_is_up
        return f"the API is {'back' if self._site.api_is_up else 'away'}"

    def api_is_faulty(self) -> str | None:
        """Let the next requests meet a fault."""
        self._storms += 1
        if self._storms > 3:  # a back-off grows, and has to be waited for
            return None
        self._disturb()
        fault, verb = self._rng.choice(FAULTS), self._rng.choice(["list", "watch", "watch"])
        if isinstance(fault, fake_api.Silent) and verb == "list":
            return None
        times = self._rng.choice([1, 1, 2])
        self._site.api.fail(fault, verb=verb, times=times)
        self._site.api.cut_watches()
        return f"{times} x {fault} for {verb}"

    def watches_break(self) -> str:
        """Let the watches that are open end, or break off."""
        self._disturb()
        if self._rng.random() < 0.5:
            self._site.api.end_watches()
            return "watches end"
        self._site.api.cut_watches(in_line=self._rng.random() < 0.5)
        return "watches break"

    def watches_fall_silent(self) -> str:
        """Let the watches that are open say nothing any more."""
        self._disturb()
        self._site.api.silence_watches()
        return "watches fall silent"

    def versions_expire(self) -> str:
        """Let the API forget what was before: a watch from there gets 410."""
        self._disturb()
        self._site.api.compact()
        self._site.api.cut_watches()
        return "versions expire"

    def heal(self) -> None:
        """End what must end before there can be quiet."""
        self._storms = 0
        self._site.api.heal()
        if not self._site.api_is_up:
            self._site.api.start()
            self._site.api_is_up = True
        # A silent stream is found out by its deadline, minutes later.
        self._site.api.cut_watches()

    # ------------------------------------------------------------------ the watcher

    def watcher_is_killed(self) -> str:
        """Kill the watcher, and start it again."""
        self._disturb()
        self._site.end_watcher(kindly=False)
        return "the watcher is killed and started again"

    def watcher_is_restarted(self) -> str:
        """Stop the watcher, and start it again."""
        self._disturb()
        self._site.end_watcher(kindly=True)
        return "the watcher is stopped and started again"

    def watcher_stands_still(self) -> str:
        """Stop the watcher's process for a while in which things happen."""
        self._disturb()
        self._site.watcher.signal(signal.SIGSTOP)
        for _ in range(self._rng.randrange(4)):
            self._meanwhile()
        self._site.watcher.signal(signal.SIGCONT)
        return "the watcher has stood still"

    def settings_are_read_again(self) -> str | None:
        """Let the watcher read settings again that are the same."""
        if not self._site.hears(signal.SIGHUP):
            return None
        self._site.watcher.signal(signal.SIGHUP)
        return "SIGHUP"

    def settings_change(self) -> str:
        """Let other settings come into use."""
        old = self._model.settings
        new = self._rng.choice(
            [
                attrs.evolve(
                    old, strict_labels=self._rng.choice([("application",), ("application", "version")])
                ),
                attrs.evolve(old, exclude_namespaces=self._rng.choice([(), ("team-1",), ("team-*",)])),
                attrs.evolve(old, labels_as_attributes=self._rng.choice([(), ("tier",)])),
                attrs.evolve(old, drain_seconds=self._rng.choice([0.0, 0.3, 1.0])),
            ]
        )
        with self._site.lock:
            self._model.reload(new)
        self._site.write_settings(new)
        return f"settings: {new}"

    def settings_are_spoiled(self) -> str | None:
        """Spoil the settings file for a moment: the old settings stay."""
        if "node node-1" not in self._site.watcher.log:
            return None  # a watcher that has yet to read them ends by them, as it should
        bad = self._rng.choice(["drain_seconds: soon\n", "{", "drain_seconds: -1\nnonsense: 1\n", "[]\n"])
        self._site.write_settings_text(bad)
        time.sleep(self._rng.choice(MOMENTS))
        self._site.write_settings(self._model.settings)
        return f"the settings file is {bad!r} for a moment"

    def _disturb(self) -> None:
        with self._site.lock:
            self._model.calm = False
