"""The settings of the agent for Vector."""

from __future__ import annotations

from pathlib import Path

import attrs

from kube_log_watcher_core import NAMES, PATH, seconds, setting


@attrs.frozen
class VectorSettings:
    """``WATCHER_VECTOR_...``, or the section ``vector`` of the YAML file."""

    folder: Path = setting(
        PATH, help="folder of kube-log-watcher.csv, the enrichment table that Vector's configuration names"
    )
    reload_seconds: float = setting(
        seconds(),
        default=3.0,
        help="how long Vector needs at most to take the changed table up, with --watch-config: so long a new "
        "log is not shown",
    )
    checkpoints: Path | None = setting(
        PATH,
        default=None,
        help="checkpoints.json of the file source as mounted here (read-only will do), of use with the "
        "fingerprint strategy device_and_inode alone: it tells when a segment is read; unset: segments stay "
        "for WATCHER_SPOOL_SECONDS",
    )
    config: Path | None = setting(
        PATH,
        default=None,
        help="Vector's configuration as mounted here, for check to see whether it names spool and table",
    )
    annotations: tuple[str, ...] = setting(
        NAMES, default=(), help="annotations of pods that are told; others may be large, or nobody's business"
    )
