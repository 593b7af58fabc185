"""What lanes share whose shipper is named by a variable, has its agent's configuration, and ships by HTTP."""

from __future__ import annotations

import abc
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.churn.lines import Line
from benchmarks.churn.pace import Pace
from benchmarks.churn.shippers.intake import HttpIntake, TakeLines
from benchmarks.churn.shippers.program import Program
from benchmarks.churn.shippers.shipper import Shipper


class StaticShipper(Shipper):
    """A shipper with what ``python -m kube_log_watcher_<name>`` prints, but for the paths."""

    variable: ClassVar[str]
    """Of the environment: names the program."""
    file_name: ClassVar[str]
    """The configuration's."""
    state_dir: ClassVar[str]
    """Where the shipper keeps its own, in that configuration."""
    output_name: ClassVar[str]
    """The file beside the configuration that says where lines go: the operator's."""

    def __init__(self, folder: Path, *, pace: Pace, take_lines: TakeLines) -> None:
        super().__init__(folder, pace=pace, take_lines=take_lines)
        self.metadata, self.state = self.folder / "metadata", self.folder / "state"
        for each in (self.metadata, self.state):
            each.mkdir()
        self.configuration = self.folder / self.file_name
        self.configuration.write_text(
            _printed(
                f"kube_log_watcher_{self.name}",
                instead={
                    "/var/log/kube-log-watcher/spool": self.spool,
                    f"/var/log/kube-log-watcher/{self.name}": self.metadata,
                    self.state_dir: self.state,
                    **self.in_haste,
                },
            )
        )
        intake = HttpIntake(read=self.line, take_lines=take_lines)
        self.intake = intake
        self.output = self.folder / self.output_name
        self.output.write_text(self.output_to(intake.port))
        self.program = Program([os.environ[self.variable], *self.options()], folder=self.folder)

    in_haste: ClassVar[Mapping[str, str]] = {}
    """What else is written otherwise, so that a run doesn't wait for long."""

    @abc.abstractmethod
    def output_to(self, port: int) -> str:
        """Return the operator's part: all lines go to this port by HTTP, and none is given up."""

    def options(self) -> Sequence[str | Path]:
        """Return the arguments that the program is started with."""
        return ["-c", self.configuration]

    @staticmethod
    @abc.abstractmethod
    def line(record: Mapping[str, Any]) -> Line | None:
        """Return the line that a record is of."""

    @classmethod
    def missing(cls) -> str | None:
        """Return why it can't be run here; None when it can."""
        named = Path(os.environ.get(cls.variable, "")).is_file()
        return None if named else f"{cls.variable} does not name it"

    @classmethod
    def version(cls) -> str:
        """Return what the program says first when it is asked for its version."""
        command = [os.environ[cls.variable], "--version"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def _printed(package: str, *, instead: Mapping[str, Path | str]) -> str:
    """Return the configuration of a package, with other texts in the place of some.

    Raises
    ------
    LookupError
        when one of them is not in it.
    """
    command = [sys.executable, "-m", package]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for theirs, ours in instead.items():
        if theirs not in text:
            raise LookupError(f"the configuration of {package} has no {theirs}")
        text = text.replace(theirs, str(ours))
    return text
