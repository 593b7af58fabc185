"""The settings of the agent for file_sd."""

from __future__ import annotations

from pathlib import Path

import attrs

from kube_log_watcher_core import NAMES, PATH, setting


@attrs.frozen
class FilesdSettings:
    """``WATCHER_FILESD_...``, or the section ``filesd`` of the YAML file."""

    folder: Path = setting(PATH, help="folder of kube-log-watcher.json, the targets of file_sd")
    positions: Path | None = setting(
        PATH,
        default=None,
        help="the file in which Alloy or Promtail keeps its positions, as mounted here (read-only will do): "
        "it tells when a segment is read; unset: segments stay for WATCHER_SPOOL_SECONDS",
    )
    config: Path | None = setting(
        PATH,
        default=None,
        help="the shipper's configuration as mounted here, for check to see whether it names the folder",
    )
    annotations: tuple[str, ...] = setting(
        NAMES, default=(), help="annotations of pods that are told; others may be large, or nobody's business"
    )
