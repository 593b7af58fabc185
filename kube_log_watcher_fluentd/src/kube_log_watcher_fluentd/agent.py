"""The agent: one file for each container, which Fluentd reads when a line of that container comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from kube_log_watcher_core import File, LogTarget, NodeContext, Owned
from kube_log_watcher_fluentd.positions import parse_pos_file
from kube_log_watcher_fluentd.settings import FluentdSettings
from kube_log_watcher_static import PositionFile, StaticAgent, check_configuration, metadata_of, to_json


class FluentdAgent(StaticAgent[FluentdSettings]):
    """Keeps a file of metadata for each container; there is nothing that Fluentd has to take up."""

    settings_class = FluentdSettings

    def __init__(self, settings: FluentdSettings, node: NodeContext) -> None:
        super().__init__(settings, node)
        if settings.pos_file is not None:
            self.positions = PositionFile(settings.pos_file, parse_pos_file)

    def render(self, targets: Sequence[LogTarget]) -> Iterable[File]:
        """Return a file for each target."""
        return self.each(targets, self._file)

    def owned(self) -> Iterable[Owned]:
        """Return the files that are named by a container's id."""
        return [Owned(self.settings.folder, r"[0-9a-f]{64}\.json")]

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        """Return the targets whose file is on the disk."""
        return [target for target in super().ready(targets) if self.placed(self._path(target)) is not None]

    def check(self) -> None:
        """Look whether folders are there, positions can be read, and the configuration names them."""
        super().check()
        if self.settings.config is not None:
            named = [*self.node.spool_dirs, self.settings.folder, self.settings.pos_file]
            check_configuration(self.settings.config, filter(None, named))

    def _path(self, target: LogTarget) -> Path:
        return self.settings.folder / f"{target.id}.json"

    def _file(self, target: LogTarget) -> File:
        document = metadata_of(target, annotations=self.settings.annotations)
        return File(self._path(target), f"{to_json(document)}\n")
