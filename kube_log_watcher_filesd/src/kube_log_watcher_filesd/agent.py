"""The agent: one file of targets, each with the labels of its log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final

from kube_log_watcher_core import File, LogFile, LogTarget, NodeContext, Progress
from kube_log_watcher_filesd.labels import ID, NAME, labels_of
from kube_log_watcher_filesd.positions import parse_positions
from kube_log_watcher_filesd.settings import FilesdSettings
from kube_log_watcher_static import (
    PositionFile,
    TableAgent,
    TableFormat,
    by_path,
    check_configuration,
    metadata_of,
)

FILE_NAME: Final = "kube-log-watcher.json"
_TARGETS: Final = ["localhost"]
"""Promtail takes targets of this host alone, and this is how it knows it."""


def _group(_key: str, labels: Mapping[str, str]) -> str:
    return json.dumps({"targets": _TARGETS, "labels": labels}, sort_keys=True)


def _read_group(row: str) -> tuple[str, Mapping[str, str]]:
    """Read a group of targets as strictly as Prometheus does.

    Raises
    ------
    ValueError
        where Prometheus would refuse it, and with it the whole file.
    """
    group = json.loads(row)
    labels: Mapping[str, str] = group["labels"]
    for name, value in labels.items():
        if not NAME.fullmatch(name) or not isinstance(value, str):
            raise ValueError(f"{name!r} is no label with a text")
    return labels[ID], labels


FILE_SD: Final[TableFormat[Mapping[str, str]]] = TableFormat(
    write=_group, read=_read_group, head="[\n", between=",\n", tail="\n]\n"
)
"""A JSON list with a group of targets for each log."""


class FilesdAgent(TableAgent[FilesdSettings, Mapping[str, str]]):
    """Writes the targets that Alloy, Promtail and Prometheus agents discover by file_sd."""

    settings_class = FilesdSettings
    # Its shipper is told of each log: what it isn't told of it doesn't read.
    gates: ClassVar[bool] = False
    needs_spool: ClassVar[bool] = False

    def __init__(self, settings: FilesdSettings, node: NodeContext) -> None:
        super().__init__(settings, node, path=settings.folder / FILE_NAME, table=FILE_SD)
        if settings.positions is not None:
            self.positions = PositionFile(settings.positions, parse_positions, find=by_path)

    def render(self, targets: Sequence[LogTarget]) -> Iterable[File]:
        """Return the file, without logs that ask for what these shippers can't promise."""
        return super().render(self.without_held(targets))

    def value(self, target: LogTarget) -> Mapping[str, str]:
        """Return the labels of a log."""
        return labels_of(target, metadata_of(target, annotations=self.settings.annotations))

    def check(self) -> None:
        """Look whether the folder is there, the positions can be read, and the configuration names it."""
        super().check()
        if self.settings.config is not None:
            check_configuration(self.settings.config, [self.settings.folder])

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        """Return how far a segment is read; a live log's path may have been that of another file."""
        return super().read_up_to(target, file) if target.is_spooled else None
