"""The agent that all of these are: it writes data, shows logs in order, and knows how far its shipper is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, TypeVar

from kube_log_watcher_core import (
    AgentConfigError,
    FileAgent,
    LogFile,
    LogTarget,
    NodeContext,
    Objection,
    Progress,
)
from kube_log_watcher_static.positions import PositionFile
from kube_log_watcher_static.redaction import redaction_asked

SettingsT = TypeVar("SettingsT")


class StaticAgent(FileAgent[SettingsT]):
    """Writes what a shipper with one static configuration looks up.

    A log is shown when what is written of it is on disk (`BaseAgent.gates`). Its segments go when the
    shipper has read them, by `positions`; where the operator names none, some time after they were closed.
    """

    gates: ClassVar[bool] = True

    needs_spool: ClassVar[bool] = True
    """Whether its shipper finds logs in the spool only, by one pattern; else it is told of each."""

    positions: PositionFile | None = None
    """Where the shipper keeps how far it is; set it in ``__init__`` where the settings name it."""

    def __init__(self, settings: SettingsT, node: NodeContext) -> None:
        super().__init__(settings, node)
        self._held: Mapping[LogTarget, Objection] = {}

    def check(self) -> None:
        """Look whether the folders are there, whether there is a spool, and positions can be read."""
        super().check()
        if self.needs_spool and not self.node.has_spool:
            raise AgentConfigError(
                "its shipper reads the spool, and there is none: name a folder for it in WATCHER_SPOOL_DIR"
            )
        if self.positions is not None:
            self.positions.check()

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        """Return the targets that the shipper can find, without those that ask for what it can't do."""
        return self.without_held(targets)

    def without_held(self, targets: Sequence[LogTarget]) -> list[LogTarget]:
        """Return the targets without those that are held, which `objections` tells from now on."""
        self._held = {target: held for target in targets if (held := self._held_for(target)) is not None}
        return [target for target in targets if target not in self._held]

    def objections(self) -> Iterable[Objection]:
        """Return the logs that are held: what asks for a redaction is never shipped without."""
        return self._held.values()

    def _held_for(self, target: LogTarget) -> Objection | None:
        annotation = redaction_asked(target)
        if annotation is not None:
            return Objection(
                target,
                annotation,
                "this shipper can't promise it",
                "remove the annotation, or have the log shipped by an agent that redacts",
                holds=True,
                until="the annotation is gone",
            )
        if self.needs_spool and not target.is_spooled:
            return Objection(
                target,
                "",
                "it is followed by its path, and this shipper reads the spool only",
                "see what `explain` says of the spool; a log that began before there was one stays as it is",
                holds=True,
                until="its container is a new one",
            )
        return None

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        """Return how far the shipper is with a file, by its positions; None where none are named.

        While they can't be read nothing counts as read: by time, what it has not read would go.
        """
        if self.positions is None:
            return None
        return self.positions.progress(file) or Progress(read_bytes=0, at=0.0)
