"""One node with its watcher and its shipper: a lane of the churn."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.churn.agenda import Clocks
from benchmarks.churn.events import Event, Kind
from benchmarks.churn.ledger import Ledger
from benchmarks.churn.node_life import NodeLife
from benchmarks.churn.pace import Pace
from benchmarks.churn.perfect import Perfect
from benchmarks.churn.pods import LivePod
from benchmarks.churn.shippers.program import wait_until
from benchmarks.churn.shippers.shipper import Shipper
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_api import FakeApi
from kube_log_watcher_testing.fake_node import FakeNode
from kube_log_watcher_testing.watcher_process import WatcherProcess

TICK_SECONDS = 0.02
START_SECONDS = 30.0
ROUNDS = 3
"""Requests after which the shipper must have come round: one may be on its way, another one empty."""
BAG = {"relabel": 3, "reannotate": 2, "restart": 2, "bad": 1, "watcher": 1, "shipper": 1}
"""How often each kind of event comes in ten; pods go when their lives are over, logs rotate by themselves."""
HARSH_BAG = {**BAG, "unwanted": 2, "withdraw": 1, "refuse": 1}


class Lane:
    """Runs one node for a while, and notes what was written and what arrived.

    From time to time there is a calm: nothing changes what the shipper is told until it has taken up
    the last change. Then a pod goes with lines that are not read, which the shipper reads from the deleted
    file as long as its configuration stays as it is. Without the calm, a reload that happens to come
    between the two loses these lines, whoever wrote the configuration (`benchmarks.limits` shows it).

    Parameters
    ----------
    folder
        for everything; must be empty.
    kind
        the shipper.
    slots
        pods alive at a time, with one or two containers each, besides those with bad annotations.
    watcher
        whether there is one; else `Perfect` writes what the shipper needs.
    spool
        whether the watcher keeps logs in a spool.
    seed
        chooses what happens, and when: the same events come in the same order with the same seed.
    environ
        further variables of the watcher, or other values of those that it is given.
    """

    def __init__(
        self,
        layout: Layout,
        folder: Path,
        *,
        kind: type[Shipper],
        pace: Pace,
        slots: int,
        seed: int,
        watcher: bool = True,
        spool: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name = layout.value
        self._folder = folder
        self.events: list[Event] = []
        self.complaints: list[str] = []
        """Errors and warnings in the watcher's log, but those about pods' annotations."""
        self._pace = pace
        self._rng = random.Random(f"{seed}/{layout.value}")  # noqa: S311
        self._clocks = Clocks(spares=pace.spares)
        self._node = FakeNode(folder / "node", layout)
        self._api = FakeApi()
        (folder / "state").mkdir()
        self._spool = folder / "node" / "spool" if spool else None
        if self._spool is not None:
            self._spool.mkdir()
        self.ledger = Ledger(
            clock=time.monotonic,
            label_clock=lambda: self._clocks.telling.now,
            label_lag=pace.label_lag,
            redaction=kind.supports.redaction,
        )
        self._shipper = kind(folder, pace=pace, take_lines=self.ledger.arrived)
        self.environ = {**self._watcher_environ(folder), **(environ or {})}
        """The watcher's variables."""
        self._watcher: WatcherProcess | Perfect = (
            WatcherProcess(self._node, None, environ=self.environ)
            if watcher
            else Perfect(layout, environ=self.environ)
        )
        self._life = NodeLife(
            self._node,
            self._api,
            ledger=self.ledger,
            clocks=self._clocks,
            pace=pace,
            slots=slots,
            rng=self._rng,
            note=self._note,
            changed=self._changed,
        )
        self._events = BAG if pace.spares else HARSH_BAG
        if not pace.spares and (pace.kills or kind.supports.stands_kills):
            self._events = {**self._events, "kill": 1}
        self._bag: list[str] = []
        self._starts = 0
        self._watching_since = -1
        self._shipper_wanted = self._watcher_wanted = True
        self._refused = False
        self._hindered = 0.0
        """When the watcher or the shipper was not there, or still had to try again, for the last time."""
        self._tries_again = kind.supports.tries_again
        self._over = False

    def _watcher_environ(self, folder: Path) -> dict[str, str | Path | None]:
        pace = self._pace
        return {
            "WATCHER_STATE_DIR": folder / "state",
            "WATCHER_SPOOL_DIR": self._spool,
            "WATCHER_SPOOL_SECONDS": str(pace.spool),
            "WATCHER_INTERVAL": str(pace.full_pass),
            "WATCHER_DRAIN_SECONDS": str(pace.drain),
            "WATCHER_DRAIN_MAX_SECONDS": str(pace.drain_max),
            "WATCHER_GATE_SECONDS": str(pace.gate),
            **self._shipper.watcher_environ(),
        }

    # ------------------------------------------------------------------ running

    def run(self, seconds: float) -> None:
        """Churn for so long, then wait until all has arrived or nothing more comes.

        Raises
        ------
        RuntimeError
            when the watcher or the shipper ended although nobody asked it to.
        """
        with self._api, self._shipper:
            try:
                self._start()
                self._churn(seconds)
                self._settle()
            finally:
                self._note_complaints()
                self._shipper.kill()
                self._watcher.close()

    def _start(self) -> None:
        self._watcher.environ["WATCHER_KUBE_URL"] = self._api.url
        self._watcher.start()
        wait_until(
            self._shipper.is_configured,
            timeout=START_SECONDS,
            what=f"the shipper's configuration ({self._watcher.log})",
        )
        self._shipper.start()
        self._life.fill()

    def _churn(self, seconds: float) -> None:
        self._clocks.always.after(self._rng.uniform(*self._pace.event), self._happen)
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            until = min(end, now + self._pace.round)
            self._go_on(lambda until=until: time.monotonic() >= until)  # type: ignore[misc]
            if self._pace.spares:
                self._calm_down()

    def _calm_down(self) -> None:
        """Wait for a calm, let a pod go in it, and let the shipper come round."""
        self._life.calm = True
        deadline = time.monotonic() + self._pace.drain + 2 * self._pace.round
        self._go_on(lambda: self._is_calm() or time.monotonic() > deadline)
        if self._is_calm():
            self._life.end_suddenly()
            seen = self._shipper.rounds
            self._go_on(lambda: self._shipper.rounds > seen + ROUNDS)
        self._life.calm = False

    def _is_calm(self) -> bool:
        """Whether the shipper must have taken up the latest configuration, and a pod may go."""
        up = self._is_up() and self._watcher.running and bool(self._life.may_end_suddenly())
        return up and self._shipper.is_settled()

    def _settle(self) -> None:
        """Let everything run on until all has come, and then a little longer: doubled lines may follow."""
        self._over = True
        self._life.stop_churning()
        self.ledger.last_news = time.monotonic()
        self._go_on(lambda: self.ledger.missing() == 0 or self._is_quiet(self._pace.settle))
        self._go_on(lambda: self._is_quiet(self._pace.come_round))

    def _is_quiet(self, seconds: float) -> bool:
        """Whether nothing has come for so long, although all of that time nothing was in the way."""
        return time.monotonic() - max(self.ledger.last_news, self._hindered) > seconds

    def _go_on(self, enough: Callable[[], bool]) -> None:
        before = time.monotonic()
        while not enough():
            time.sleep(TICK_SECONDS)
            now = time.monotonic()
            self._look_after()
            watching, up = self._is_watching(), self._is_up()
            if not (watching and up) or self._refused:
                self._hindered = now + (self._tries_again if self._refused else 0.0)
            self._clocks.advance(now - before, watcher=watching, shipper=up, refused=self._refused)
            self._life.logs.write(self._life.pods)
            before = now

    def _look_after(self) -> None:
        """Start again what has ended by a fault that is known. Raises RuntimeError for what else ended."""
        if self._watcher_wanted and not self._watcher.running:
            raise RuntimeError(
                f"the watcher ended with {self._watcher.exit_code}: {self._watcher.log[-4000:]}"
            )
        if self._shipper_wanted and self._shipper.has_failed():
            self._shipper_wanted = False
            self._note(Kind.SHIPPER_ENDED)
            self._clocks.always.after(0.1, self._wait_for_shipper)
        elif self._shipper_wanted and not self._shipper.running:
            raise RuntimeError(f"the shipper ended: {self._shipper.log[-4000:]}")

    def _is_up(self) -> bool:
        return self._shipper_wanted and self._shipper.is_up()

    def _is_watching(self) -> bool:
        """Whether the watcher runs and has handed its agents what is there."""
        if not self._watcher.running:
            return False
        if self._watching_since != self._starts:
            if " follows " not in self._watcher.log:
                return False
            self._watching_since = self._starts
        return True

    # ------------------------------------------------------------------ events

    def _changed(self, pod: LivePod) -> None:
        if isinstance(self._watcher, Perfect):
            self._watcher.changed(pod)

    def _note(self, kind: Kind, pod: str | None = None) -> None:
        self.events.append(Event(kind, time.monotonic(), self.name, pod))

    def _happen(self) -> None:
        if self._over:
            return
        if self._life.calm:
            self._clocks.always.after(self._rng.uniform(*self._pace.event), self._happen)
            return
        if not self._bag:
            self._bag = [name for name, times in self._events.items() for _ in range(times)]
            self._rng.shuffle(self._bag)
        if not self._may_happen(self._bag[-1]):
            self._clocks.always.after(0.2, self._happen)
            return
        actions = {
            "relabel": self._life.relabel,
            "reannotate": self._life.reannotate,
            "restart": self._life.restart,
            "bad": self._life.come_bad,
            "watcher": self._kill_watcher,
            "shipper": self._stop_shipper,
            "kill": self._kill_shipper,
            "unwanted": self._life.come_unwanted,
            "withdraw": self._life.withdraw,
            "refuse": self._refuse,
        }
        actions[self._bag.pop()]()
        self._clocks.always.after(self._rng.uniform(*self._pace.event), self._happen)

    def _may_happen(self, name: str) -> bool:
        """Whether what it is to follow is over; what can't happen yet is not left out.

        What a shipper has read and can't deliver, it may lose by itself when it ends: it is not refused then.
        """
        if name in ("shipper", "kill", "refuse"):
            return self._is_up() and self._shipper_wanted and not self._refused
        return name != "watcher" or self._watcher_wanted

    def _kill_watcher(self) -> None:
        self._watcher_wanted = False
        self._note_complaints()
        self._watcher.kill()
        self._note(Kind.WATCHER_KILLED)
        self._clocks.always.after(self._rng.uniform(*self._pace.watcher_down), self._start_watcher)

    def _start_watcher(self) -> None:
        self._watcher.start()
        self._starts += 1
        self._watcher_wanted = True
        self._note(Kind.WATCHER_STARTED)

    def _stop_shipper(self) -> None:
        self._shipper_wanted = False
        self._shipper.ask_to_stop()
        self._note(Kind.SHIPPER_STOPPED)
        self._clocks.always.after(0.1, self._wait_for_shipper)

    def _kill_shipper(self) -> None:
        self._shipper_wanted = False
        self._shipper.kill()
        self._note(Kind.SHIPPER_KILLED)
        self._clocks.always.after(0.1, self._wait_for_shipper)

    def _wait_for_shipper(self) -> None:
        if self._shipper.running:
            self._clocks.always.after(0.1, self._wait_for_shipper)
        else:
            self._life.logs.rotate_while_down(self._life.pods)
            self._clocks.always.after(self._rng.uniform(*self._pace.shipper_down), self._start_shipper)

    def _start_shipper(self) -> None:
        self._shipper.start()
        self._shipper_wanted = True
        self._note(Kind.SHIPPER_STARTED)

    def _refuse(self) -> None:
        self._refused = True
        self._shipper.refuse()
        self._note(Kind.REFUSED)
        self._clocks.always.after(self._pace.refusal, self._accept)

    def _accept(self) -> None:
        self._shipper.accept()
        self._refused = False
        self._note(Kind.ACCEPTED)

    def _note_complaints(self) -> None:
        lines = self._watcher.log.splitlines()
        with (self._folder / "watcher.log").open("a") as kept:
            kept.write(self._watcher.log)
        words = (" WARNING ", " ERROR ", "Traceback")
        odd = [line for line in lines if any(word in line for word in words)]
        self.complaints += [line for line in odd if "kubernetes-log-watcher/" not in line]
