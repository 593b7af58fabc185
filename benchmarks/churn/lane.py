"""One node with its watcher and its shipper: a lane of the churn."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.churn.agenda import Clocks
from benchmarks.churn.events import Event, Kind
from benchmarks.churn.ledger import Ledger
from benchmarks.churn.node_life import NodeLife
from benchmarks.churn.pace import Pace
from benchmarks.churn.pods import DECODED
from benchmarks.churn.shipper import Intake, Shipper, wait_until
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
    slots
        pods alive at a time, with one or two containers each, besides those with bad annotations.
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
        pace: Pace,
        slots: int,
        seed: int,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name = layout.value
        self.events: list[Event] = []
        self.complaints: list[str] = []
        """Errors and warnings in the watcher's log, but those about pods' annotations."""
        self._pace = pace
        self._rng = random.Random(f"{seed}/{layout.value}")  # noqa: S311
        self._clocks = Clocks()
        self.ledger = Ledger(clock=time.monotonic, label_lag=pace.label_lag)
        self._node = FakeNode(folder / "node", layout)
        self._api = FakeApi()
        self._intake = Intake(lambda lines: self.ledger.arrived(lines, self._clocks.following.now))
        self._config = folder / "config" / "agent.json"
        for each in ("config", "links", "state"):
            (folder / each).mkdir()
        self._shipper = Shipper(
            self._config, server=self._intake.url, folder=folder / "shipper", environ=pace.shipper_environ()
        )
        self._watcher = WatcherProcess(
            self._node, None, environ={**self._watcher_environ(folder), **(environ or {})}
        )
        self._life = NodeLife(
            self.name,
            self._node,
            self._api,
            ledger=self.ledger,
            clocks=self._clocks,
            pace=pace,
            slots=slots,
            rng=self._rng,
            note=self._note,
        )
        self._bag: list[str] = []
        self._awaited = 0
        """How many requests the shipper must have sent to count as up."""
        self._shipper_wanted = self._watcher_wanted = True
        self._over = False

    def _watcher_environ(self, folder: Path) -> dict[str, str | Path | None]:
        pace = self._pace
        return {
            "WATCHER_AGENTS": "scalyr",
            "WATCHER_STATE_DIR": folder / "state",
            "WATCHER_INTERVAL": str(pace.full_pass),
            "WATCHER_DRAIN_SECONDS": str(pace.drain),
            "WATCHER_DRAIN_MAX_SECONDS": str(pace.drain_max),
            "WATCHER_GATE_SECONDS": str(pace.gate),
            "WATCHER_LABELS_AS_ATTRIBUTES": "churn-pod",
            "WATCHER_SCALYR_API_KEY": "churn",
            "WATCHER_SCALYR_CONFIG_PATH": self._config,
            "WATCHER_SCALYR_DEST_PATH": folder / "links",
            "WATCHER_SCALYR_DATA_PATH": self._shipper.data,
            "WATCHER_SCALYR_CONFIG_CHECK_INTERVAL": str(pace.config_check),
            "WATCHER_SCALYR_WRITE_INTERVAL": str(pace.write_interval),
            "WATCHER_SCALYR_HOLD_SECONDS": str(pace.hold),
            "WATCHER_SCALYR_PARSE_LINES_JSON": DECODED,
        }

    # ------------------------------------------------------------------ running

    def run(self, seconds: float) -> None:
        """Churn for so long, then wait until all has arrived or nothing more comes.

        Raises
        ------
        RuntimeError
            when the watcher or the shipper ended although nobody asked it to.
        """
        with self._api, self._intake:
            try:
                self._start()
                self._churn(seconds)
                self._settle()
            finally:
                self._note_complaints()
                self._shipper.close()
                self._watcher.close()

    def _start(self) -> None:
        self._watcher.environ["WATCHER_KUBE_URL"] = self._api.url
        self._watcher.start()
        wait_until(self._config.exists, timeout=START_SECONDS, what=f"agent.json ({self._watcher.log})")
        self._shipper.start()
        self._life.fill()

    def _churn(self, seconds: float) -> None:
        self._clocks.always.after(self._rng.uniform(*self._pace.event), self._happen)
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            until = min(end, now + self._pace.round)
            self._go_on(lambda until=until: time.monotonic() >= until)  # type: ignore[misc]
            self._calm_down()

    def _calm_down(self) -> None:
        """Wait for a calm, let a pod go in it, and let the shipper come round."""
        self._life.calm = True
        deadline = time.monotonic() + self._pace.drain + 2 * self._pace.round
        self._go_on(lambda: self._is_calm() or time.monotonic() > deadline)
        if self._is_calm():
            self._life.end_suddenly()
            seen = self._intake.requests
            self._go_on(lambda: self._intake.requests > seen + ROUNDS)
        self._life.calm = False

    def _is_calm(self) -> bool:
        """Whether the shipper must have taken up the latest configuration, and a pod may go."""
        up = self._is_up() and self._watcher.running and bool(self._life.may_end_suddenly())
        age = time.time() - self._config.stat().st_mtime
        settled = age > self._pace.config_check + 2 * self._pace.write_interval
        # The end of a drain changes the configuration, too.
        return up and settled and all(path.exists() for path in self._configured())

    def _configured(self) -> list[Path]:
        logs: list[dict[str, str]] = json.loads(self._config.read_bytes())["logs"]
        return [Path(log["path"]) for log in logs]

    def _settle(self) -> None:
        """Let everything run on until all has come, and then a little longer: doubled lines may follow."""
        self._over = True
        self._life.stop_churning()
        self.ledger.last_news = time.monotonic()
        self._go_on(lambda: self.ledger.missing() == 0 or self._is_quiet(self._pace.settle))
        self._go_on(lambda: self._is_quiet(self._pace.come_round))

    def _is_quiet(self, seconds: float) -> bool:
        return self._is_up() and self._watcher.running and time.monotonic() - self.ledger.last_news > seconds

    def _go_on(self, enough: Callable[[], bool]) -> None:
        before = time.monotonic()
        while not enough():
            time.sleep(TICK_SECONDS)
            now = time.monotonic()
            self._look_after()
            self._clocks.advance(now - before, watcher=self._watcher.running, shipper=self._is_up())
            self._life.write()
            before = now

    def _look_after(self) -> None:
        """Start what is wanted and down. Raises RuntimeError for what ended by itself."""
        if self._watcher_wanted and not self._watcher.running:
            raise RuntimeError(
                f"the watcher ended with {self._watcher.exit_code}: {self._watcher.log[-4000:]}"
            )
        if self._shipper_wanted and not self._shipper.running:
            raise RuntimeError(f"the Scalyr agent ended: {self._shipper.log[-4000:]}")

    def _is_up(self) -> bool:
        up = self._shipper.running and self._shipper_wanted
        return up and self._intake.requests > self._awaited

    # ------------------------------------------------------------------ events

    def _note(self, kind: Kind, pod: str | None = None) -> None:
        self.events.append(Event(kind, time.monotonic(), self.name, pod))

    def _happen(self) -> None:
        if self._over:
            return
        if self._life.calm:
            self._clocks.always.after(self._rng.uniform(*self._pace.event), self._happen)
            return
        if not self._bag:
            self._bag = [name for name, times in BAG.items() for _ in range(times)]
            self._rng.shuffle(self._bag)
        actions = {
            "relabel": self._life.relabel,
            "reannotate": self._life.reannotate,
            "restart": self._life.restart,
            "bad": self._life.come_bad,
            "watcher": self._kill_watcher,
            "shipper": self._stop_shipper,
        }
        actions[self._bag.pop()]()
        self._clocks.always.after(self._rng.uniform(*self._pace.event), self._happen)

    def _kill_watcher(self) -> None:
        if self._watcher_wanted:
            self._watcher_wanted = False
            self._note_complaints()
            self._watcher.kill()
            self._note(Kind.WATCHER_KILLED)
            self._clocks.always.after(self._rng.uniform(*self._pace.watcher_down), self._start_watcher)

    def _start_watcher(self) -> None:
        self._watcher.start()
        self._watcher_wanted = True
        self._note(Kind.WATCHER_STARTED)

    def _stop_shipper(self) -> None:
        if self._shipper_wanted and self._is_up():
            self._shipper_wanted = False
            self._shipper.ask_to_stop()
            self._note(Kind.SHIPPER_STOPPED)
            self._clocks.always.after(0.1, self._wait_for_shipper)

    def _wait_for_shipper(self) -> None:
        if self._shipper.running:
            self._clocks.always.after(0.1, self._wait_for_shipper)
        else:
            self._life.rotate_while_down()
            self._clocks.always.after(self._rng.uniform(*self._pace.shipper_down), self._start_shipper)

    def _start_shipper(self) -> None:
        self._awaited = self._intake.requests
        self._shipper.start()
        self._shipper_wanted = True
        self._note(Kind.SHIPPER_STARTED)

    def _note_complaints(self) -> None:
        lines = self._watcher.log.splitlines()
        words = (" WARNING ", " ERROR ", "Traceback")
        odd = [line for line in lines if any(word in line for word in words)]
        self.complaints += [line for line in odd if "kubernetes-log-watcher/" not in line]
