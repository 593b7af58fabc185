"""The agent that all of these are: it writes data, shows logs in order, and knows how far its shipper is."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, TypeVar

from kube_log_watcher_core import AgentConfigError, FileAgent, LogFile, LogTarget, NodeContext, Progress
from kube_log_watcher_static.positions import PositionFile
from kube_log_watcher_static.redaction import redaction_asked

logger = logging.getLogger(__name__)

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
        self._held: Mapping[LogTarget, str] = {}

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
        return [target for target in self.without_held(targets) if target.is_spooled or not self.needs_spool]

    def without_held(self, targets: Sequence[LogTarget]) -> list[LogTarget]:
        """Return the targets without those that ask for what the shipper can't do.

        It is not known to redact: a log whose pod asks for that is held, and told of once.
        """
        held = {target: name for target in targets if (name := redaction_asked(target)) is not None}
        for target in held.keys() - self._held.keys():
            logger.warning(
                "pod %s/%s, container %s, %s: this shipper can't promise it; the log is not shipped until "
                "the annotation is gone",
                *(target.namespace, target.pod_name, target.container_name, held[target]),
                extra={"event": "log-held", "container": target.container_name},
            )
        self._held = held
        return [target for target in targets if target not in held]

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        """Return how far the shipper is with a file, by its positions."""
        return None if self.positions is None else self.positions.progress(file)
