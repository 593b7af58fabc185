"""The agent that all of these are: it writes data, shows logs in order, and knows how far its shipper is."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from kube_log_watcher_core import FileAgent, LogFile, LogTarget, Progress
from kube_log_watcher_static.positions import PositionFile

SettingsT = TypeVar("SettingsT")


class StaticAgent(FileAgent[SettingsT]):
    """Writes what a shipper with one static configuration looks up.

    A log is shown when what is written of it is on disk (`BaseAgent.gates`). Its segments go when the
    shipper has read them, by `positions`; where the operator names none, some time after they were closed.
    """

    gates: ClassVar[bool] = True

    positions: PositionFile | None = None
    """Where the shipper keeps how far it is; set it in ``__init__`` where the settings name it."""

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        """Return how far the shipper is with a file, by its positions."""
        return None if self.positions is None else self.positions.progress(file)
