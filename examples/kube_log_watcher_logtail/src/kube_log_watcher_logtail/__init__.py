"""An agent of kube-log-watcher for a shipper of a few lines of shell, around Debian's logtail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core import PATH, File, LogFile, LogTarget, Owned, Progress, setting
from kube_log_watcher_static import Offsets, PositionFile, StaticAgent, metadata_of, to_json

__all__ = ["LogtailAgent", "LogtailSettings", "parse_offset"]


@attrs.frozen
class LogtailSettings:
    """``WATCHER_LOGTAIL_...``, or the section ``logtail`` of the YAML file."""

    folder: Path = setting(PATH, help="folder of the logs' metadata")
    offsets: Path | None = setting(PATH, default=None, help="folder in which logtail notes how far it is")


class LogtailAgent(StaticAgent[LogtailSettings]):
    """Keeps a file of metadata for each log."""

    settings_class = LogtailSettings

    def render(self, targets: Sequence[LogTarget]) -> Iterable[File]:
        """Return a file for each log, named for its container."""
        return self.each(targets, self._file)

    def _file(self, target: LogTarget) -> File:
        return File(self.settings.folder / f"{target.id}.json", to_json(metadata_of(target)) + "\n")

    def owned(self) -> Iterable[Owned]:
        """Return the names of these files."""
        return [Owned(self.settings.folder, r"[0-9a-f]{64}\.json")]

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        """Return the targets whose metadata stand."""
        return [it for it in super().ready(targets) if self.placed(self._file(it).path) is not None]

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        """Return how far a segment is read: logtail has a file of two lines for each."""
        if self.settings.offsets is None:
            return None
        offset = self.settings.offsets / file.path.name
        return PositionFile(offset, lambda content: parse_offset(content, file.path)).progress(file)


def parse_offset(content: bytes, path: Path) -> Offsets:
    """Parse inode and offset of a segment. Raises ValueError, as for a file that is being written."""
    inode, offset, end = content.decode().split("\n")
    if end:
        raise ValueError("more than two lines")
    return {(str(path), int(inode)): int(offset)}
