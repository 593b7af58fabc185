"""One kind of shipper, as a lane drives it: what each of them is a subclass of.

A new one says what it supports, which of the watcher's settings it needs, how its program is started, and
where its lines arrive. `Rsyslog` in ``rsyslog.py`` is the example: its configuration is one static file.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import attrs

from benchmarks.churn.ledger import Redaction
from benchmarks.churn.pace import Pace
from benchmarks.churn.shippers.intake import Intake, TakeLines
from benchmarks.churn.shippers.program import Program


@attrs.frozen
class Supports:
    """What a shipper is judged by."""

    redaction: Redaction = Redaction.HELD
    real_paths: bool = False
    """Whether it can be told a log's own path, so that it runs without the spool, too."""
    stands_kills: bool = True
    """Whether it notes so promptly how far it has come that after SIGKILL it ships nothing again.

    Where it doesn't, the harsh churn kills it when asked to (``--kill``): what it then ships again is its own
    doing.
    """
    tries_again: float = 5.0
    """Within how many seconds a shipper that was refused for some seconds tries again."""
    own_fault: str = ""
    """What it prints when it ends by a fault of its own that is known: it is started again, as by a kubelet,
    and goes on where it was."""
    repeats: int = 0
    """How many lines it may ship again after a SIGKILL, by itself, where it stands kills but for these."""


class Shipper(abc.ABC):
    """A real program, its configuration, and the receiver that its lines arrive at.

    The receiver is there as long as the ``with`` block lasts, whatever becomes of the program.

    Parameters
    ----------
    folder
        the lane's: its own files go below `self.folder`, and the spool is below ``node``.
    pace
        how fast everything goes.
    take_lines
        is handed what arrives, from any thread.
    """

    name: ClassVar[str]
    """As ``--shipper`` names it."""
    supports: ClassVar[Supports]

    program: Program
    """Set by ``__init__``."""
    intake: Intake
    """Set by ``__init__``."""

    def __init__(self, folder: Path, *, pace: Pace, take_lines: TakeLines) -> None:
        self.folder = folder / "shipper"
        self.folder.mkdir(parents=True)
        self.spool = folder / "node" / "spool"
        """Where the watcher keeps segments, if it does."""
        self.pace = pace
        self.take_lines = take_lines
        self._rounds_before = 0

    def __enter__(self) -> Self:
        self.intake.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.intake.__exit__(kind, error, trace)

    # ------------------------------------------------------------------ what each says

    @classmethod
    @abc.abstractmethod
    def missing(cls) -> str | None:
        """Return why it can't be run here; None when it can."""

    @classmethod
    @abc.abstractmethod
    def version(cls) -> str:
        """Return the program's version."""

    @abc.abstractmethod
    def watcher_environ(self) -> Mapping[str, str | Path | None]:
        """Return the watcher's variables that are about this shipper."""

    # ------------------------------------------------------------------ what most don't change

    def needs_to_start(self) -> Mapping[Path, str]:
        """Return the files that it doesn't start without, as they are when a watcher knows of no log."""
        return {}

    def is_configured(self) -> bool:
        """Whether the watcher has written what the shipper needs to start."""
        return True

    def is_settled(self) -> bool:
        """Whether it must have taken up the latest configuration, and nothing is about to change that."""
        return True

    @property
    def rounds(self) -> int:
        """How often it has come round over its files so far, at least; if not told, once a second."""
        return int(self.program.seconds)

    @property
    def running(self) -> bool:
        """Whether the process is there, be it on its way to stop."""
        return self.program.running

    @property
    def log(self) -> str:
        """What the shipper says of itself."""
        return self.program.output

    def has_failed(self) -> bool:
        """Whether it has ended by the fault of its own that is known."""
        fault = self.supports.own_fault
        return bool(fault) and not self.running and fault in self.program.latest_output

    def is_up(self) -> bool:
        """Whether it runs, and has come round since it was started."""
        return self.running and self.rounds > self._rounds_before

    def start(self) -> None:
        """Start the process."""
        self._rounds_before = self.rounds
        self.program.start()

    def ask_to_stop(self) -> None:
        """Send SIGTERM, and don't wait."""
        self.program.ask_to_stop()

    def kill(self) -> None:
        """Send SIGKILL."""
        self.program.kill()

    def refuse(self) -> None:
        """Let the receiver take nothing from now on."""
        self.intake.refuse()

    def accept(self) -> None:
        """Let the receiver take everything again."""
        self.intake.accept()
